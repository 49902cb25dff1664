"""Parameter trees as Flax writes them, and what Flax answers, for tests without Flax.

Run: python scripts/build_flax_trees.py tests/models/readers/flax     (needs flax)

Generated: random parameters of four cells, a small ``.msgpack`` each, and ``answers.json`` with the
input and each cell's last output.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import flax
import jax
import numpy as np
from flax import linen, serialization

INPUTS, UNITS, STEPS = 3, 4, 7
CELLS = (linen.LSTMCell, linen.OptimizedLSTMCell, linen.GRUCell, linen.SimpleCell)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    xs = np.random.default_rng(2).normal(size=(STEPS, INPUTS)).astype(np.float32)
    answers: dict[str, list[float]] = {}
    for k, cell in enumerate(CELLS):
        rnn = linen.RNN(cell(UNITS))
        variables = rnn.init(jax.random.key(k), xs)
        (folder / f"{cell.__name__}.msgpack").write_bytes(serialization.to_bytes(variables))
        answers[cell.__name__] = np.asarray(rnn.apply(variables, xs))[-1].tolist()
    about = {"flax": flax.__version__, "jax": jax.__version__}
    text = json.dumps({**about, "inputs": xs.tolist(), "answers": answers}, indent=1)
    (folder / "answers.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
