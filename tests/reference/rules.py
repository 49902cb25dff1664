"""Rules, written as the sentences that define them: slow, loop by loop, nothing shared."""

from __future__ import annotations

from collections.abc import Sequence


def occurs_at(phrase: Sequence[str], document: Sequence[str]) -> list[int]:
    """Every position at which the words of the phrase stand next to each other."""
    positions = []
    for start in range(len(document) - len(phrase) + 1):
        if all(document[start + k] == phrase[k] for k in range(len(phrase))):
            positions.append(start)
    return positions


def first(phrases: Sequence[Sequence[str]], document: Sequence[str]) -> tuple[int, int]:
    """The first phrase of the list that occurs, and where; (-1, -1) if none does."""
    for rank, phrase in enumerate(phrases):
        for position in occurs_at(phrase, document):
            return rank, position
    return -1, -1


def counts(phrases: Sequence[Sequence[str]], documents: Sequence[Sequence[str]]) -> list[list[int]]:
    """How often each phrase occurs in each document."""
    return [[len(occurs_at(phrase, d)) for phrase in phrases] for d in documents]


def decide(
    rules: Sequence[tuple[Sequence[str], int]], default: int, document: Sequence[str]
) -> int:
    """The class that a rule list gives a document."""
    rank, _ = first([phrase for phrase, _ in rules], document)
    return default if rank < 0 else rules[rank][1]


def class_of_matches(
    row: Sequence[float], kept: Sequence[int], labels: Sequence[int], default: int
) -> int:
    """The class of the first rule among those kept that matches, from a row of a match matrix."""
    for rule in kept:
        if row[rule] != 0:
            return labels[rule]
    return default


def backward_elimination(
    matches: Sequence[Sequence[float]],
    labels: Sequence[int],
    default: int,
    network: Sequence[int],
    weights: Sequence[int],
    max_rules: int | None,
) -> list[int]:
    """Drop the cheapest rule (then: of fewest documents, the later one), deciding all anew."""

    def agreement(kept: Sequence[int]) -> int:
        total = 0
        for row, answer, weight in zip(matches, network, weights, strict=True):
            if class_of_matches(row, kept, labels, default) == answer:
                total += weight
        return total

    kept = list(range(len(labels)))
    while kept:
        choices = []
        for rule in kept:
            cost = agreement(kept) - agreement([other for other in kept if other != rule])
            matched = sum(1 for row in matches if row[rule] != 0)
            choices.append((cost, matched, -rule))
        cost, _, cheapest = min(choices)
        if cost > 0 and (max_rules is None or len(kept) <= max_rules):
            break
        kept.remove(-cheapest)
    return kept


def residual_weights(
    phrases: Sequence[Sequence[str]], means: Sequence[Sequence[float]]
) -> list[list[float]]:
    """For each phrase its mean less the weights of all the phrases that stand inside it."""
    classes = range(len(means[0])) if means else range(0)

    def weight(number: int) -> list[float]:
        own = list(means[number])
        for other, phrase in enumerate(phrases):
            if len(phrase) < len(phrases[number]):
                for _ in occurs_at(phrase, phrases[number]):
                    part = weight(other)
                    own = [own[k] - part[k] for k in classes]
        return own

    return [weight(number) for number in range(len(phrases))]


def evidence(
    phrases: Sequence[Sequence[str]],
    weights: Sequence[Sequence[float]],
    bias: Sequence[float],
    document: Sequence[str],
) -> list[float]:
    """The weights of every occurrence of every phrase, and the bias, added up."""
    total = list(bias)
    for phrase, row in zip(phrases, weights, strict=True):
        for _ in occurs_at(phrase, document):
            total = [a + b for a, b in zip(total, row, strict=True)]
    return total
