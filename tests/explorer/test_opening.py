"""Opening a run: what is kept, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import rnnscope as rs
from rnnscope.explorer import look_at, open_run
from rnnscope.synthetic import lexicon_network
from tests.explorer.conftest import QUICK
from tests.helpers import random_module
from tests.training import tiny

WEIGHTS = {"good": 2.0, "bad": -2.0, "the": 0.0, "film": 0.0}


@pytest.fixture
def small(tmp_path):
    lexicon_network(WEIGHTS).save(tmp_path / "model")
    rng = np.random.default_rng(0)
    return tmp_path, [" ".join(rng.choice(list(WEIGHTS), size=5)) for _ in range(40)]


def test_what_was_found_is_kept_and_read_again(small):
    folder, texts = small
    said = []
    first = open_run(folder, data=texts, options=QUICK, say=said.append)
    assert any("fixed points" in one for one in said)
    said.clear()
    second = open_run(folder, data=texts, options=QUICK, say=said.append)
    assert said == []
    assert second.rules.rules == first.rules.rules
    assert second.sites.kinds == first.sites.kinds
    torch.testing.assert_close(second.sites.modes.states, first.sites.modes.states)
    one, other = look_at(first, "the good film"), look_at(second, "the good film")
    assert one | {"milliseconds": 0} == other | {"milliseconds": 0}


def test_what_belongs_to_another_text_or_is_damaged_is_found_anew(small):
    folder, texts = small
    open_run(folder, data=texts, options=QUICK)
    said = []
    open_run(folder, data=[*texts, "the good bad film"], options=QUICK, say=said.append)
    assert any("fixed points" in one for one in said)
    for name in ("kept.json", "rules.json", "found/arrays.safetensors", "found/result.json"):
        (folder / "explorer" / name).write_text("{")
        said.clear()
        open_run(folder, data=[*texts, "the good bad film"], options=QUICK, say=said.append)
        assert any("computed anew" in one for one in said)


def test_a_run_that_cannot_be_written_to_is_explored_all_the_same(small):
    folder, texts = small
    (folder / "explorer").write_text("a file in the way")
    said = []
    found = open_run(folder, data=texts, options=QUICK, say=said.append)
    assert any("not kept" in one for one in said)
    assert look_at(found, "good")["predicted"] == 1


def test_the_account_says_how(run, corpus, tmp_path):
    model = rs.load(run)
    model.save(tmp_path / "model")
    settings = {"points": 9, "min_count": 3, "max_rules": 5, "unheard_of": 1}
    account = {"model": {"fingerprint": model.fingerprint}, "settings": settings}
    account["scores"] = {"method": "gamma"}
    (tmp_path / "account.json").write_text(json.dumps(account))
    found = open_run(tmp_path, data=corpus)
    scores = rs.CellDecomposition(model).score(corpus.split("train"))
    phrases = rs.mine_phrases(scores, min_count=3)
    assert found.rules.rules == rs.RuleList.from_phrases(phrases, max_rules=5).rules
    assert len(found.sites.points) == 9
    account["model"] = {"fingerprint": "that of another network"}
    (tmp_path / "account.json").write_text(json.dumps(account))
    assert open_run(tmp_path, data=corpus, say=print).rules.size > 5


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": 3}', "[" * 100_000, '{"settings": 1}'])
def test_an_account_that_says_nothing_is_passed_over(small, text):
    folder, texts = small
    (folder / "account.json").write_text(text)
    assert open_run(folder, data=texts, options=QUICK).rules is not None


def test_a_file_that_the_account_names_is_not_opened(small):
    folder, _ = small
    model = rs.load(folder)
    account = {"model": {"fingerprint": model.fingerprint}, "data": {"name": "/etc/passwd"}}
    (folder / "account.json").write_text(json.dumps(account))
    with pytest.raises(rs.UsageError, match="names no text"):
        open_run(folder)


def test_networks_that_no_sentence_can_be_typed_for(tmp_path):
    bare = rs.from_torch(torch.nn.LSTM(3, 4))
    bare.save(tmp_path / "bare")
    with pytest.raises(rs.NotApplicable):
        open_run(tmp_path / "bare", data=["a"])
    rs.from_torch(random_module()).save(tmp_path / "numbers")
    with pytest.raises(rs.NotApplicable, match="reads words"):
        open_run(tmp_path / "numbers", data=["a"])
    with pytest.raises(rs.UsageError, match="saved model"):
        open_run(tmp_path / "nothing")


def test_the_network_is_left_as_it_was(run, corpus, exhibit):
    before = rs.load(run)
    look_at(exhibit, "a good b")
    assert tiny.same_weights(before, exhibit.model)
    state = torch.get_rng_state()
    look_at(exhibit, "a good b")
    assert torch.equal(state, torch.get_rng_state())
