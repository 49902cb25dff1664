"""How many documents a second a list of 10,000 phrases decides, beside other ways to do it.

Run: OMP_NUM_THREADS=1 python benchmarks/matching.py [--corpus CORPUS] [--documents N]

The phrases are the 1- to 5-grams of the corpus that tell its classes apart best, none containing
one ranked before it, as in a mined list; the documents are its words, 230 to a document, each
word an object of its own as a tokenizer makes them. Every way is checked against the naive
reading first. Then all run in turn, in one process and thread; the fastest of the rounds counts,
in processor time, which other programs on the machine disturb least.

Prints a table to standard error and one JSON object as the last line of standard output:
    documents_per_second    way -> documents a second, where a way is
        tokens, compiled        Matcher.first_of on token lists: words to numbers, then the search
        tokens, plain           the same without numba
        ids, compiled           indices into a vocabulary: looked up (encode_ids), then searched
        encoded, compiled       documents encoded before: the search alone
        encoded, plain          the same without numba
        count matrix, compiled  Matcher.occurrences on token lists
        count matrix, plain     the same without numba
        exported file           predict of RuleList.export("x.py")
        naive, early exit       each phrase in turn, looked for in the document as one string
        n-gram dict             every 1- to 5-gram of the document looked up in a dict
        pyahocorasick           where installed; one character for each word, made by a dict
        ahocorasick_rs          the same
    once_in_seconds         "compile": building the trie and the first compiled calls
    phrases, words, documents, phrases_a_document, covered    what was matched; distinct phrases
                            that occur in a document, share of documents in which one does
    rounds                  how often each way ran
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import rnnscope as rs
from rnnscope.rules import Matcher, PhraseVectorizer, Rule, RuleList

PHRASES, WORDS, ROUNDS = 10_000, 230, 5
SAMPLE = 5_000
"""Documents of the corpus that are read at most."""

SLOW = 300
"""Documents given to the ways that take milliseconds each."""

Way = tuple[Callable[[Sequence[Any]], Any], Sequence[Any]]


def material(corpus: str, count: int) -> tuple[list[list[str]], list[tuple[str, ...]]]:
    """Documents of 230 words, and the phrases."""
    split = rs.load_corpus(corpus)
    split = split if split.splits is None else split.split("train")
    if split.labels is None:
        raise SystemExit("the corpus has no labels to tell apart")
    rows = np.random.default_rng(0).permutation(len(split.documents))[:SAMPLE]
    chosen = [split.documents[row] for row in rows]
    tokens = [rs.tokenize(d) if isinstance(d, str) else list(d) for d in chosen]
    words = [word for document in tokens for word in document]
    # Each word a new object, in the order of reading, whatever was shared before.
    words = " ".join(words[k % len(words)] for k in range(count * WORDS)).split(" ")
    documents = [words[k : k + WORDS] for k in range(0, len(words), WORDS)]

    vectorizer = PhraseVectorizer(min_count=3, max_length=5)
    present = vectorizer.fit_transform(tokens) > 0
    one_hot = np.eye(len(split.classes))[np.asarray(split.labels)[rows]]
    shares = np.log((present.T @ one_hot + 0.5) / (one_hot.sum(axis=0) + 1))
    kept: dict[tuple[str, ...], None] = {}
    for k in np.argsort(-np.ptp(shares, axis=1), kind="stable"):
        phrase = vectorizer.phrases_[k]
        n = len(phrase)
        parts = (phrase[a:b] for a in range(n) for b in range(a + 1, n + 1))
        if not any(part in kept for part in parts):
            kept[phrase] = None
        if len(kept) == PHRASES:
            break
    return documents, list(kept)


def naive(phrases: Sequence[tuple[str, ...]]) -> Callable[[Sequence[Any]], list[int]]:
    strings = ["\0" + "\0".join(phrase) + "\0" for phrase in phrases]

    def run(documents: Sequence[Any]) -> list[int]:
        found = []
        for document in documents:
            text = "\0" + "\0".join(document) + "\0"
            found.append(next((k for k, string in enumerate(strings) if string in text), -1))
        return found

    return run


def ngram_dict(phrases: Sequence[tuple[str, ...]]) -> Callable[[Sequence[Any]], list[int]]:
    ranks = {phrase: rank for rank, phrase in enumerate(phrases)}
    last = len(phrases)

    def run(documents: Sequence[Any]) -> list[int]:
        found = []
        for document in documents:
            best = last
            for n in range(1, 6):
                for gram in zip(*(document[k:] for k in range(n)), strict=False):
                    best = min(best, ranks.get(gram, last))
            found.append(best if best < last else -1)
        return found

    return run


def automaton(
    phrases: Sequence[tuple[str, ...]], build: Callable[[list[str]], Callable[[str], Any]]
) -> Callable[[Sequence[Any]], list[int]]:
    words = sorted({word for phrase in phrases for word in phrase})
    codes = {word: chr(0x10000 + k) for k, word in enumerate(words)}

    def spell(document: Sequence[str]) -> str:
        return "".join([codes.get(word, "\x01") for word in document])

    ranks_in = build([spell(phrase) for phrase in phrases])
    return lambda documents: [min(ranks_in(spell(d)), default=-1) for d in documents]


def rivals(phrases: Sequence[tuple[str, ...]]) -> dict[str, Callable[[Sequence[Any]], Any]]:
    """The packages that are installed."""

    def py(patterns: list[str]) -> Callable[[str], Any]:
        built = importlib.import_module("ahocorasick").Automaton()
        for rank, pattern in enumerate(patterns):
            built.add_word(pattern, rank)
        built.make_automaton()
        return lambda text: [rank for _, rank in built.iter(text)]

    def rust(patterns: list[str]) -> Callable[[str], Any]:
        built = importlib.import_module("ahocorasick_rs").AhoCorasick(patterns)
        find = built.find_matches_as_indexes
        return lambda text: [rank for rank, _, _ in find(text, overlapping=True)]

    found = {}
    for name, module, build in (
        ("pyahocorasick", "ahocorasick", py),
        ("ahocorasick_rs", "ahocorasick_rs", rust),
    ):
        if importlib.util.find_spec(module):
            found[name] = automaton(phrases, build)
    return found


def ways(
    documents: list[list[str]], phrases: list[tuple[str, ...]]
) -> tuple[dict[str, Way], dict[str, float]]:
    few = documents[:SLOW]
    plain = Matcher(phrases, compiled=False)
    found: dict[str, Way] = {}
    once: dict[str, float] = {}
    if importlib.util.find_spec("numba"):
        fast = Matcher(phrases, compiled=True)
        start = time.process_time()
        fast.first_of(documents[:1])
        fast.occurrences(documents[:1])
        once["compile"] = time.process_time() - start
        vocabulary = sorted({word for document in documents for word in document})
        index = {word: k for k, word in enumerate(vocabulary)}
        flat = np.array([index[w] for d in documents for w in d], dtype=np.int32)
        offsets = np.arange(len(documents) + 1) * WORDS
        encoded = fast.encode(documents)
        found["tokens, compiled"] = lambda d: fast.first_of(d)[0], documents
        found["ids, compiled"] = (
            lambda d: fast.first_of(fast.encode_ids(flat, offsets, vocabulary))[0],
            documents,
        )
        found["encoded, compiled"] = lambda d: fast.first_of(encoded)[0], documents
        found["count matrix, compiled"] = fast.occurrences, documents
    encoded_plain = plain.encode(documents)
    found["tokens, plain"] = lambda d: plain.first_of(d)[0], documents
    found["encoded, plain"] = lambda d: plain.first_of(encoded_plain)[0], documents
    found["count matrix, plain"] = plain.occurrences, documents
    for name, run in rivals(phrases).items():
        found[name] = run, documents[: 10 * SLOW]
    found["exported file"] = exported(phrases), documents[: 10 * SLOW]
    found["n-gram dict"] = ngram_dict(phrases), few
    found["naive, early exit"] = naive(phrases), few
    return found, once


def exported(phrases: Sequence[tuple[str, ...]]) -> Callable[[Sequence[Any]], list[int]]:
    rules = tuple(Rule(words=phrase, class_index=0) for phrase in phrases)
    with tempfile.TemporaryDirectory() as folder:
        path = RuleList(rules=rules, default=0, classes=("",)).export(Path(folder) / "r.py")
        source = path.read_text(encoding="utf-8")
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "exported", "exec"), space)
    first = space["_first"]
    return lambda documents: [first(tuple(document))[0] for document in documents]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--corpus", default="embedded:documents")
    parser.add_argument("--documents", type=int, default=10_000)
    chosen = parser.parse_args()
    documents, phrases = material(chosen.corpus, chosen.documents)
    compared, once = ways(documents, phrases)

    expected = np.array(naive(phrases)(documents[:SLOW]))
    for name, (run, given) in compared.items():
        if "matrix" not in name:
            assert np.array_equal(np.asarray(run(given))[:SLOW], expected), name
    fastest = dict.fromkeys(compared, 0.0)
    for _ in range(ROUNDS):
        for name, (run, given) in compared.items():
            start = time.process_time()
            run(given)
            fastest[name] = max(fastest[name], len(given) / (time.process_time() - start))
    counts = Matcher(phrases).occurrences(documents)
    result = {
        "documents_per_second": {name: round(rate) for name, rate in fastest.items()},
        "once_in_seconds": {name: round(seconds, 3) for name, seconds in once.items()},
        "phrases": len(phrases),
        "words": WORDS,
        "documents": len(documents),
        "phrases_a_document": round(counts.nnz / len(documents), 1),
        "covered": round(float((np.diff(counts.indptr) > 0).mean()), 3),
        "rounds": ROUNDS,
        "corpus": chosen.corpus,
    }
    for name, rate in sorted(fastest.items(), key=lambda item: -item[1]):
        print(f"{name:24s} {rate:12,.0f} documents/s", file=sys.stderr)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
