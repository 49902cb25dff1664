"""Documents written from a knowledge base: one a film, several templates a relation.

The KB variant of Miller et al. (2016) with sentences in place of triples. Between the sentences
that state facts stand distractors: sentences that name a person, a year or a film in a part that
no question asks about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnscope.errors import DataError
from rnnscope.qa.entities import joined

__all__ = ["TEMPLATES", "TYPES", "Facts", "facts_of", "verbalise"]

Facts = dict[str, dict[str, list[str]]]
"""Of each film, by relation, the objects."""

TYPES = {
    "directed_by": "person",
    "written_by": "person",
    "starred_actors": "person",
    "release_year": "number",
    "in_language": "language",
    "has_genre": "genre",
    "has_tags": "tag",
    "has_imdb_rating": "rating",
    "has_imdb_votes": "votes",
}
"""The type of a relation's objects."""

# {T} the film, {O} the objects joined by commas and "and". "It" and the title both are in use.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "directed_by": (
        "it was directed by {O} .",
        "{T} was directed by {O} .",
        "{O} directed {T} .",
        "the director is {O} .",
        "{T} is a film by director {O} .",
    ),
    "written_by": (
        "it was written by {O} .",
        "{O} wrote {T} .",
        "the screenplay is by {O} .",
        "{T} was written by {O} .",
        "the script for {T} comes from {O} .",
    ),
    "starred_actors": (
        "it stars {O} .",
        "{T} stars {O} .",
        "the cast includes {O} .",
        "starring in {T} are {O} .",
        "{O} star in {T} .",
    ),
    "release_year": (
        "it was released in {O} .",
        "{T} was released in {O} .",
        "{T} came out in {O} .",
        "it first came to cinemas in {O} .",
        "{T} is a {O} film .",
    ),
    "in_language": (
        "it is in {O} .",
        "{T} is in the {O} language .",
        "the language spoken in {T} is {O} .",
        "its dialogue is in {O} .",
    ),
    "has_genre": (
        "it is a {O} film .",
        "{T} belongs to the genre {O} .",
        "the genre of {T} is {O} .",
        "it is best described as {O} .",
    ),
    "has_tags": (
        "people tag it as {O} .",
        "{T} is about {O} .",
        "viewers describe {T} with the words {O} .",
        "its topics are {O} .",
        "{T} is tagged {O} .",
    ),
    "has_imdb_rating": ("people rate it as {O} .", "{T} was thought to be {O} ."),
    "has_imdb_votes": ("it is a {O} film among voters .", "{T} is {O} ."),
}

_DISTRACTORS: tuple[tuple[str, str], ...] = (
    ("person", "the music was composed by {O} ."),
    ("person", "{O} was first considered for the lead ."),
    ("person", "it was produced by {O} ."),
    ("person", "{O} attended the premiere of {T} ."),
    ("film", "some critics compared it with {O} ."),
    ("film", "it is often shown together with {O} ."),
    ("number", "a restored version appeared in {O} ."),
    ("number", "the story is set in {O} ."),
    ("language", "it was later dubbed into {O} ."),
)


def facts_of(triples: Iterable[Sequence[str]]) -> Facts:
    """Triples (film, relation, object) as facts by film, in the order in which they come."""
    facts: Facts = {}
    for subject, relation, thing in triples:
        facts.setdefault(subject, {}).setdefault(relation, []).append(thing)
    return facts


def verbalise(
    facts: Mapping[str, Mapping[str, Sequence[str]]], *, seed: int = 0, distractors: int = 2
) -> tuple[tuple[tuple[str, ...], ...], dict[str, str]]:
    """Write one document for each film.

    It opens with the film's title; then come one sentence a relation and the distractors, in
    random order. Every film draws from a generator of its own, so leaving one out changes no
    other, but for the entities that its distractors name.

    Args:
        facts: see ``facts_of``; every relation is one of ``TEMPLATES``.
        seed: of templates, order and distractors.
        distractors: sentences that no question asks about, at most, a document.

    Returns:
        the documents as tokens, in the order of the films, and each entity's type.

    Raises:
        DataError: a relation without templates.
    """
    entities: dict[str, str] = {}
    for film, relations in facts.items():
        for relation, things in relations.items():
            if relation not in TEMPLATES:
                raise DataError(
                    "Every relation has templates.",
                    expected=", ".join(TEMPLATES),
                    got=f"{relation!r} of {film!r}",
                )
            for thing in things:
                entities.setdefault(joined(thing), TYPES[relation])
    for film in facts:
        entities.setdefault(joined(film), "film")
    pools = {kind: [e for e, k in entities.items() if k == kind] for kind, _ in _DISTRACTORS}
    documents = []
    for place, (film, relations) in enumerate(facts.items()):
        random = np.random.default_rng([seed, place])
        sentences = [
            _sentence(TEMPLATES[relation], film, things, random)
            for relation, things in sorted(relations.items())
        ]
        for _ in range(int(random.integers(distractors + 1))):
            kind, template = _DISTRACTORS[int(random.integers(len(_DISTRACTORS)))]
            if pools[kind]:
                other = pools[kind][int(random.integers(len(pools[kind])))]
                sentences.append(_filled(template, joined(film), [other]))
        order = random.permutation(len(sentences))
        opening = [joined(film), "is", "a", "film", "."]
        documents.append(tuple(opening + [w for k in order for w in sentences[k]]))
    return tuple(documents), entities


def _sentence(templates: Sequence[str], film: str, things: Sequence[str], random: Any) -> list[str]:
    template = templates[int(random.integers(len(templates)))]
    shuffled = [joined(things[int(k)]) for k in random.permutation(len(things))]
    return _filled(template, joined(film), shuffled)


def _filled(template: str, film: str, things: Sequence[str]) -> list[str]:
    words: list[str] = []
    for word in template.split():
        if word == "{T}":
            words.append(film)
        elif word == "{O}":
            for k, thing in enumerate(things):
                if k:
                    words.append("and" if k == len(things) - 1 else ",")
                words.append(thing)
        else:
            words.append(word)
    return words
