"""A GRU that tells atrial fibrillation from a normal rhythm, on raw vectors: no words anywhere.

The recordings are those of the PhysioNet/CinC challenge of 2017 (ODC-BY 1.0). Fetch them with
`wfdb.dl_database("challenge-2017/1.0.0/training", ...)`, decimate to 100 Hz and write Parquet files
train.parquet and test.parquet with the columns label (0 normal, 1 fibrillation) and signal_uv.

python examples/ecg_gru.py FOLDER       about three minutes
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import torch
from common import fit, write
from torch import nn

import rnnscope as rs

FRAME = 4
"""Samples of 100 Hz in a frame of 25 Hz."""

SHOWN = 500
"""Frames of a recording that are read: 20 seconds."""


class Ecg(nn.Module):
    def __init__(self, units: int = 48) -> None:
        super().__init__()
        self.gru = nn.GRU(3, units, batch_first=True)
        self.out = nn.Linear(units, 2)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.out(self.gru(frames)[0].mean(dim=1))


def frames_of(signal: list[int]) -> np.ndarray:
    """Lowest, highest and mean absolute difference of each frame, (frames, 3)."""
    x = np.asarray(signal, dtype=np.float32)
    x = (x - np.median(x)) / (np.percentile(np.abs(x - np.median(x)), 95) + 1)
    x = np.clip(x[: len(x) // FRAME * FRAME], -4, 4).reshape(-1, FRAME)
    change = np.abs(np.diff(x, axis=1)).mean(axis=1)
    frames = np.stack([x.min(axis=1), x.max(axis=1), change], axis=1)
    return frames[:SHOWN].astype(np.float32)


def read(file: Path, limit: int) -> tuple[list[np.ndarray], np.ndarray]:
    table = pl.read_parquet(file).filter(pl.col("label") < 2).head(limit)
    return [frames_of(signal) for signal in table["signal_uv"]], table["label"].to_numpy()


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    sequences, labels = read(folder / "train.parquet", 1200)
    held_out, truth = read(folder / "test.parquet", 1000)
    module = Ecg()
    fit(module, sequences, labels, epochs=12, rate=4e-3)
    model = rs.from_torch(
        module.double(), documents=held_out[:30], classes=("normal", "fibrillation")
    )
    accuracy = float((model.predict(held_out) == truth).mean())
    # What it holds between two beats: the fixed points under the mean frame.
    mean = np.concatenate(sequences).mean(axis=0)
    points = rs.find_fixed_points(model, seeds=held_out[:60], inputs=mean, count=200)
    modes = rs.linearize(model, points)
    write(
        Path("runs/ecg_gru"),
        certificate=model.certificate.to_dict() if model.certificate else None,
        accuracy=accuracy,
        majority=float(max(truth.mean(), 1 - truth.mean())),
        points=str(points),
        modes=str(modes),
    )


if __name__ == "__main__":
    main()
