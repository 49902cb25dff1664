# ruff: noqa: E501
"""Targets of the fuzzer: the explorer's questions, and accounts set side by side.

What a browser may send is tried in tests/explorer; ``serve`` itself does not return.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz_target import Target

import rnnscope as rs
from rnnscope.synthetic import lexicon_network

WEIGHTS = {"good": 2.0, "bad": -2.0, "the": 0.0, "film": 0.0}
TEXTS = [["the", "good", "film"], ["the", "bad", "film"], ["good", "good"], ["bad"]] * 6


@cache
def exhibit() -> rs.Exhibit:
    with TemporaryDirectory() as folder:
        lexicon_network(WEIGHTS).save(Path(folder) / "model")
        return rs.open_run(folder, data=[" ".join(text) for text in TEXTS])


def explorer() -> list[Target]:
    T = Target
    return [
        T(name="open_run", call=rs.open_run, cost=4, kinds={"run": "model_path", "data": "data"}),
        T(name="look_at", call=lambda text: rs.look_at(exhibit(), text), cost=3, kinds={"text": "text"}),
        T(name="look_at_word", call=lambda text, k, r: rs.look_at_word(exhibit(), text, k, r), cost=3,
          kinds={"text": "text", "k": "count", "r": "text"}),
        T(name="look_at_point", call=lambda k: rs.look_at_point(exhibit(), k), kinds={"k": "count"}),
        T(name="find_phrase", call=lambda text: rs.find_phrase(exhibit(), text), kinds={"text": "text"}),
        T(name="compare_accounts", call=rs.compare_accounts, kinds={"accounts": "names"}),
    ]  # fmt: skip
