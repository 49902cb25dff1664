"""The embedded data set: what is in it, and that no sentence stands in two splits."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import numpy as np
import pytest
from scipy import sparse

from rnnscope.data import EMBEDDED, load_corpus, load_embedded, tokenize
from rnnscope.data.corpus import SPLITS
from rnnscope.data.embedded import read_ratings
from rnnscope.errors import UsageError

FOLDER = files("rnnscope.data") / "embedded"


@pytest.fixture(scope="module")
def ratings():
    return read_ratings()


@pytest.fixture(scope="module")
def sentences():
    return load_embedded("sentences")


@pytest.fixture(scope="module")
def documents():
    return load_embedded("documents")


def test_size_and_licence():
    assert len((FOLDER / "ratings.tsv.gz").read_bytes()) < 700_000
    licence = (FOLDER / "LICENSE.vaderSentiment.txt").read_text(encoding="utf-8")
    for part in ("MIT License", "Copyright (c) 2016 C.J. Hutto", "WITHOUT WARRANTY", "Cite: Hutto"):
        assert part in licence


def test_rows(ratings):
    assert 13_500 < len(ratings) < 14_500
    ids = [rating.id for rating in ratings]
    assert ids == sorted(set(ids))
    assert {rating.domain for rating in ratings} == {"movie", "amazon", "tweet"}
    assert all(1 <= abs(rating.valence) <= 4 for rating in ratings)
    assert len({rating.text.lower() for rating in ratings}) == len(ratings)
    for rating in ratings:
        assert rating.text == " ".join(rating.text.split())
        assert not any(part in rating.text for part in ("&amp;", "&lt;", "&gt;", "&quot;", "''"))
        assert tokenize(rating.text)


def test_shares_of_the_splits(ratings):
    counts = Counter(rating.split for rating in ratings)
    for split, share in (("train", 0.80), ("validation", 0.08), ("test", 0.12)):
        assert counts[split] / len(ratings) == pytest.approx(share, abs=0.01)
    for domain in ("movie", "amazon", "tweet"):
        signs = {(r.split, r.valence > 0) for r in ratings if r.domain == domain}
        assert len(signs) == 6


def incidence(bags):
    """Documents x things, one where a document holds a thing."""
    numbers: dict = {}
    rows, columns = [], []
    for row, bag in enumerate(bags):
        for thing in bag:
            rows.append(row)
            columns.append(numbers.setdefault(thing, len(numbers)))
    shape = (len(bags), len(numbers))
    return sparse.csr_matrix((np.ones(len(rows), np.int32), (rows, columns)), shape=shape)


def alphanumeric(text):
    spaced = "".join(character if character.isalnum() else " " for character in text.lower())
    return spaced.split()


def test_no_near_duplicates_across_splits(ratings):
    """All pairs between splits, by products of incidence matrices."""
    words = [alphanumeric(rating.text) for rating in ratings]
    splits = np.array([rating.split for rating in ratings])
    tokens = incidence([set(document) for document in words])
    runs = incidence([set(zip(*(d[k:] for k in range(5)), strict=False)) for d in words])
    held_out = np.flatnonzero(splits != "train")
    sizes, run_counts = tokens.sum(axis=1).A1, runs.sum(axis=1).A1
    for block in np.array_split(held_out, 12):
        elsewhere = splits[block][:, None] != splits[None, :]
        shared = (tokens[block] @ tokens.T).toarray()
        union = sizes[block][:, None] + sizes[None, :] - shared
        assert not (elsewhere & (10 * shared >= 7 * union)).any()
        common = (runs[block] @ runs.T).toarray()
        fewer = np.minimum(run_counts[block][:, None], run_counts[None, :])
        assert not (elsewhere & (common >= 2) & (2 * common >= fewer)).any()


def test_sentences(sentences, ratings):
    assert len(sentences) == len(ratings)
    assert Counter(sentences.texts) == Counter(rating.text for rating in ratings)
    assert sentences.classes == ("negative", "positive")
    assert np.array_equal(sentences.labels == 1, sentences.valence > 0)
    assert sentences.documents[0] == tuple(tokenize(sentences.texts[0]))
    assert sentences.note == ""
    assert "Hutto" in sentences.source
    by_text = {rating.text: rating for rating in ratings}
    assert all(
        by_text[text].split == split and by_text[text].valence == valence
        for text, split, valence in zip(
            sentences.texts, sentences.splits, sentences.valence, strict=True
        )
    )


def parts_of(text, starts, by_text):
    """The one way to cut a document into rated sentences of one domain, by backtracking."""
    if not text:
        return []
    for length in starts:
        head, rest = text[:length], text[length:]
        if head in by_text and (not rest or rest[0] == " "):
            tail = parts_of(rest[1:], starts, by_text)
            if tail is not None:
                return [by_text[head], *tail]
    return None


def test_documents_are_composed_as_they_say(documents, ratings):
    assert "composed" in documents.note
    by_text = {rating.text: rating for rating in ratings}
    lengths = sorted({len(text) for text in by_text}, reverse=True)
    used: Counter = Counter()
    for split in ("validation", "test"):
        part = documents.split(split)
        for text, valence, label in zip(part.texts, part.valence, part.labels, strict=True):
            members = parts_of(text, lengths, by_text)
            assert 1 <= len(members) <= 8
            assert {member.split for member in members} == {split}
            assert len({member.domain for member in members}) == 1
            assert valence == pytest.approx(np.mean([member.valence for member in members]))
            assert valence != 0
            assert label == (valence > 0)
            used.update(member.id for member in members)
    times = {split: {used[r.id] for r in ratings if r.split == split} for split in SPLITS}
    assert max(times["test"]) == 1
    assert max(times["validation"]) == 5
    held_out = sum(rating.split != "train" for rating in ratings)
    assert len(used) > 0.99 * held_out


def test_passes(documents):
    once = load_embedded("documents", passes=1)
    assert set(once.split("test").texts) == set(documents.split("test").texts)
    assert 4.5 < len(documents.split("train")) / len(once.split("train")) < 5.5
    words = sum(map(len, once.split("train")))
    assert sum(map(len, documents.split("train"))) == pytest.approx(5 * words, rel=0.01)
    with pytest.raises(UsageError):
        load_embedded("documents", passes=0)


def test_always_the_same(documents, sentences):
    assert load_embedded("documents").fingerprint == documents.fingerprint
    assert load_corpus("embedded").fingerprint == sentences.fingerprint
    assert load_corpus("embedded", view="documents").fingerprint == documents.fingerprint
    assert load_corpus("embedded:documents").fingerprint == documents.fingerprint


def test_first_rows_hold_everything(sentences):
    first = load_corpus("embedded", limit=200)
    assert first.documents == sentences.documents[:200]
    assert set(first.splits) == {"train", "validation", "test"}
    assert set(first.labels) == {0, 1}


def test_views():
    assert EMBEDDED == ("embedded:sentences", "embedded:documents")
    for call in (lambda: load_embedded("words"), lambda: load_corpus("embedded:words")):
        with pytest.raises(UsageError, match="'sentences' or 'documents'"):
            call()


def test_own_tokenizer():
    assert load_corpus("embedded", tokenizer=str.split, limit=5)[0] == tuple(
        load_embedded().texts[0].split()
    )
