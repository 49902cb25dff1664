"""Pruning: fewer rules that still agree with the network."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from rnnscope.errors import DataError


def kept_by_pruning(
    matches: Any,
    labels: np.ndarray,
    default: int,
    network: np.ndarray,
    *,
    max_rules: int | None = None,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Backward elimination: which rules of a first-match list to keep.

    Without a rule its documents fall to the next rule that matches, so the cost of dropping it is
    the number of them that this moves away from the network's class. The cheapest rule goes
    first, as long as it costs nothing; then, while there are more than ``max_rules``, the cheapest
    in any case. Of equally cheap rules the one that matches the fewest documents goes first, and
    then the later one.

    Args:
        matches: (documents, rules), not zero where a rule's phrase occurs; the columns in the
            order of the list.
        labels: (rules,), the class of each.
        default: the class where none matches.
        network: (documents,), the network's class of each.
        max_rules: keep at most so many; as many as pay for themselves when None.
        weights: (documents,), how much each counts, rounded to 2^-40 of the largest; 1 when None.

    Returns:
        The columns kept, in order.

    Raises:
        DataError: a weight that is negative or no finite number.
    """
    state = _Elimination(matches, np.append(labels, default), network, weights)
    remaining = len(labels)
    while state.heap:
        cost, _, _, rule = heapq.heappop(state.heap)
        if not state.alive[rule] or cost != state.cost[rule]:
            continue
        if cost > 0 and (max_rules is None or remaining <= max_rules):
            break
        state.drop(rule)
        remaining -= 1
    return np.flatnonzero(state.alive[:-1])


class _Elimination:
    """Each document's first and second matching rule, and what dropping each rule would cost.

    A rule that has become the first or second of a document stays among the two until it is
    dropped, and what has been passed is dropped: both only ever move forward.
    """

    def __init__(
        self, matches: Any, labels: np.ndarray, network: np.ndarray, weights: np.ndarray | None
    ) -> None:
        matches = csr_matrix(matches, copy=True)
        matches.sum_duplicates()
        matches.eliminate_zeros()
        documents, rules = matches.shape
        worth = _whole(np.ones(documents) if weights is None else weights)
        # The default stands behind every list and is never dropped: twice, as its own successor.
        columns = np.insert(matches.indices, np.repeat(matches.indptr[1:], 2), rules)
        starts = matches.indptr[:-1] + 2 * np.arange(documents)
        first, second = columns[starts], columns[starts + 1]
        right = labels[columns] == np.repeat(network, np.diff(matches.indptr) + 2)
        self.cost = [0] * (rules + 1)
        moved = right[starts].astype(np.int64) - right[starts + 1]
        for rule, change in zip(first.tolist(), (worth * moved).tolist(), strict=True):
            self.cost[rule] += change

        self.columns, self.right = columns.tolist(), right.tolist()
        self.first, self.second = starts.tolist(), (starts + 1).tolist()
        self.worth = worth.tolist()
        self.holders = _grouped(np.concatenate([first, second]), documents, rules + 1)
        self.alive = bytearray([True] * (rules + 1))
        self.matched = np.bincount(matches.indices, minlength=rules).tolist()
        self.heap = [(self.cost[r], self.matched[r], -r, r) for r in range(rules)]
        heapq.heapify(self.heap)

    def drop(self, rule: int) -> None:
        """Hand the rule's documents on, and price the rules that this touches anew."""
        columns, right, alive, cost = self.columns, self.right, self.alive, self.cost
        alive[rule] = False
        touched = set()
        for document in self.holders[rule]:
            first, second = self.first[document], self.second[document]
            worth = self.worth[document]
            if columns[first] == rule:
                first = second
            else:
                cost[columns[first]] -= worth * (right[first] - right[second])
            second += 1
            while not alive[columns[second]]:
                second += 1
            cost[columns[first]] += worth * (right[first] - right[second])
            self.first[document], self.second[document] = first, second
            self.holders[columns[second]].append(document)
            touched.add(columns[first])
        self.holders[rule] = []
        for other in touched:
            if other < len(self.matched):
                heapq.heappush(self.heap, (cost[other], self.matched[other], -other, other))


def _grouped(rules: np.ndarray, documents: int, count: int) -> list[list[int]]:
    """The documents of each rule; ``rules`` holds those of all documents, and then again."""
    order = np.argsort(rules, kind="stable")
    ends = np.cumsum(np.bincount(rules, minlength=count)).tolist()
    listed = (order % max(documents, 1)).tolist()
    return [listed[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _whole(weights: np.ndarray) -> np.ndarray:
    """Weights as whole numbers: a sum of floats that ought to be nothing can come out above it."""
    weights = np.asarray(weights, dtype=np.float64)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise DataError("The weights of documents are finite numbers, none below 0.")
    _, exponent = np.frexp(weights.max(initial=0.0))
    return np.rint(np.ldexp(weights, 40 - exponent)).astype(np.int64)
