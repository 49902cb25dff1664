"""Small corpora and random networks to try question answering on."""

from __future__ import annotations

import torch

from rnnscope.qa import Question, QuestionCorpus, QuestionModel, Reading
from rnnscope.qa.network import QuestionNetwork
from rnnscope.qa.training import vocabulary_of

PEOPLE = ("Ann_Lee", "Bo_Dahl", "Cy_Roe", "Di_Fox", "Ed_Moss", "Flo_Hart")
FILMS = ("Dawn", "Dusk", "Noon", "Night", "Rain", "Snow")


def films(copies: int = 1) -> QuestionCorpus:
    """One document a film: who directed it and who wrote it, in either order; two questions."""
    documents, questions = [], []
    count = len(FILMS)
    for k in range(count * copies):
        film = FILMS[k % count]
        director = PEOPLE[(k + k // count) % count]
        writer = PEOPLE[(k + 1 + k // count) % count]
        facts = [
            f"it was directed by {director} .",
            f"it was written by {writer} .",
            f"it came out in {1950 + k % 37} .",
        ]
        facts = facts[k % 3 :] + facts[: k % 3]
        documents.append(tuple(f"{film} is a film . {' '.join(facts)}".split()))
        for verb, answer, name in (
            ("directed", director, "director"),
            ("wrote", writer, "writer"),
        ):
            questions.append(
                Question(
                    words=("who", verb, film),
                    documents=(k,),
                    answers=(answer,),
                    category=name,
                    split=("train", "train", "validation", "test")[k % 4],
                )
            )
    years = {str(1950 + k): "number" for k in range(37)}
    return QuestionCorpus(
        documents=tuple(documents),
        questions=tuple(questions),
        entities=dict.fromkeys(PEOPLE, "person") | dict.fromkeys(FILMS, "film") | years,
        name="films",
    )


def random_model(
    corpus: QuestionCorpus, *, version: str = "final", bidirectional: bool = True, seed: int = 0
) -> QuestionModel:
    """An untrained network in float64, with weights large enough to bend."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vocabulary = vocabulary_of(Reading.of(corpus), 1)
        network = QuestionNetwork(
            version=version,
            words=len(vocabulary),
            width=5,
            units=4,
            bidirectional=bidirectional or version == "v1",
        ).double()
        with torch.no_grad():
            for weight in network.parameters():
                weight.copy_(torch.randn_like(weight))
    return QuestionModel.of(network, vocabulary, {})
