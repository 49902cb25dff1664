"""Every format that rnnscope saves: how it is written, read, and told to be the same."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import rnnscope as rs
from rnnscope.phrases import Phrases
from rnnscope.study.search_file import ARRAYS, SearchFile
from rnnscope.training.checkpoint import Checkpoint, Progress

WORDS = ("<pad>", "<unk>", "the", "film", "good", "bad", "not", "very", "dull", "fine")


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format.

    Args:
        name: in words.
        path: the name of its file or folder.
        save: writes the old (0) or the new (1) to a path.
        load: reads it to something that ``digest`` tells apart.
        edited: whether people edit it, so that no digest guards it.
    """

    name: str
    path: str
    save: Callable[[int, Path], Any]
    load: Callable[[Path], Any]
    edited: bool = False


def digest(value: Any) -> str:
    """Equal for equal contents."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        return hashlib.sha256(value.tobytes() + repr(value.shape).encode()).hexdigest()
    if isinstance(value, rs.Model):
        return value.fingerprint + repr(value.vocabulary) + repr(value.classes)
    if isinstance(value, dict):
        return repr({k: digest(v) for k, v in value.items()})
    if isinstance(value, list | tuple):
        return repr([digest(one) for one in value])
    return hashlib.sha256(pickle.dumps(value)).hexdigest()


def formats(folder: Path) -> list[Format]:
    """All of them, each with an old and a new of its kind."""
    models = [_model(seed) for seed in (0, 1)]
    rng = np.random.default_rng(0)
    documents = [[WORDS[k] for k in rng.integers(2, 10, size=n)] for n in rng.integers(1, 9, 60)]
    scores = [rs.CellDifference(model).score(documents) for model in models]
    phrases = [rs.mine_phrases(s, word_threshold=1.0001, min_count=1) for s in scores]
    tables = [rs.PhraseTable.of(s, max_length=3) for s in scores]
    rules = [rs.RuleList.from_phrases(p, max_rules=20) for p in phrases]
    summed = [rs.PhraseModel.summed(p) for p in phrases]
    points = [rs.find_fixed_points(m, seeds=documents, count=16) for m in models]
    results = [rs.linearize(m, p) for m, p in zip(models, points, strict=True)]
    searches = [rs.find_on(m, p.seeds) for m, p in zip(models, points, strict=True)]
    corpus = _questions()
    asked = [
        rs.train_question_model(corpus, units=4, embedding=4, epochs=1, min_count=1, seed=seed)
        for seed in (0, 1)
    ]
    patterns = [rs.mine_patterns(m, m.answer(corpus), min_count=1) for m in asked]

    def frame(one: Phrases) -> Any:
        return [one.words, one.counts, one.mean, one.classes, one.options.__dict__]

    def entries(one: Any) -> Any:
        return one.to_dict() if hasattr(one, "to_dict") else repr(one)

    return [
        Format(
            name="model",
            path="model",
            save=lambda k, path: models[k].save(path),
            load=rs.load,
        ),
        Format(
            name="question network",
            path="questions",
            save=lambda k, path: asked[k].save(path),
            load=lambda path: [(m := rs.load_question_model(path)).embedding, repr(m.vocabulary)],
        ),
        Format(
            name="result",
            path="result",
            save=lambda k, path: rs.save_result(results[k], path),
            load=lambda path: [(m := rs.load_result(path)).states, m.eigenvalues, repr(m)],
        ),
        Format(
            name="phrases",
            path="phrases",
            save=lambda k, path: phrases[k].save(path),
            load=lambda path: frame(Phrases.load(path)),
        ),
        Format(
            name="phrase table",
            path="table",
            save=lambda k, path: tables[k].save(path),
            load=lambda path: [f.to_dicts() for f in rs.PhraseTable.load(path).frames],
        ),
        Format(
            name="training checkpoint",
            path="run",
            save=lambda k, path: _checkpoint(path, k).save(Progress(epoch=k + 1)),
            load=lambda path: _restored(path),
        ),
        Format(
            name="search",
            path="search",
            save=lambda k, path: _search(path, searches[k]),
            load=lambda path: _searched(path),
        ),
        Format(
            name="rule list",
            path="rules.json",
            save=lambda k, path: rules[k].export(path),
            load=lambda path: entries(rs.RuleList.load(path)),
            edited=True,
        ),
        Format(
            name="phrase model",
            path="phrase_model.json",
            save=lambda k, path: summed[k].save(path),
            load=lambda path: repr(vars(rs.PhraseModel.load(path))),
            edited=True,
        ),
        Format(
            name="pattern list",
            path="patterns.json",
            save=lambda k, path: patterns[k].export(path),
            load=lambda path: repr(rs.PatternList.load(path)),
            edited=True,
        ),
    ]


def _model(seed: int) -> rs.Model:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.emb = nn.Embedding(len(WORDS), 3)
            self.rnn = nn.LSTM(3, 4, batch_first=True)
            self.out = nn.Linear(4, 2)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.out(self.rnn(self.emb(ids))[0][:, -1])

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return rs.from_torch(Net().double(), vocabulary=WORDS)


def _questions() -> rs.QuestionCorpus:
    people, films = ("Ann_Lee", "Bo_Dahl", "Cy_Roe", "Di_Fox"), ("Dawn", "Dusk", "Noon", "Night")
    documents, asked = [], []
    for k in range(16):
        film, who = films[k % 4], people[(k + k // 4) % 4]
        documents.append(tuple(f"{film} is a film . it was directed by {who} .".split()))
        asked.append(rs.Question(words=("who", "directed", film), documents=(k,), answers=(who,)))
    entities = dict.fromkeys(people, "person") | dict.fromkeys(films, "film")
    return rs.QuestionCorpus(documents=tuple(documents), questions=tuple(asked), entities=entities)


def _checkpoint(path: Path, seed: int = 0) -> Checkpoint:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Linear(3, 2)
    return Checkpoint(
        folder=path,
        identity={"seed": 0},
        network=network,
        averaged=nn.Linear(3, 2, device="cpu"),
        optimizer=torch.optim.Adam(network.parameters()),
    )


def _search(path: Path, found: Any) -> None:
    kept = SearchFile(path, {"network": ""})
    kept.found, kept.shards = found, kept.shards + 1
    kept.save()


def _searched(path: Path) -> Any:
    kept = SearchFile(path, {"network": ""})
    if kept.found is None:
        raise rs.DataError("There is no search.")
    return [getattr(kept.found, name) for name in ARRAYS] + [repr(kept.found)]


def _restored(path: Path) -> Any:
    with torch.random.fork_rng():
        checkpoint = _checkpoint(path)
        progress = checkpoint.load()
    if progress is None:
        raise rs.TrainingError("There is no checkpoint.")
    return [progress.epoch, dict(checkpoint.network.state_dict())]
