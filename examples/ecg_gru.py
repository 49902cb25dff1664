"""A GRU that tells atrial fibrillation from a normal rhythm, on raw vectors: no words anywhere.

It reads one vector a heartbeat: the time since the beat before, on its own and against the beat
before, how high the beat is, and how much the trace moves before it, where a normal beat has a
P wave. Beside its accuracy stand the majority's and that of a logistic regression on how irregular
the beats are, over the same recordings.

The recordings are those of the PhysioNet/CinC challenge of 2017 (ODC-BY 1.0). Fetch them with
`wfdb.dl_database("challenge-2017/1.0.0/training", ...)`, decimate to 100 Hz and write Parquet files
train.parquet and test.parquet with the columns label (0 normal, 1 fibrillation) and signal_uv.

python examples/ecg_gru.py FOLDER       about a minute
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import torch
from common import fit, write
from scipy.signal import butter, find_peaks, sosfiltfilt
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

import rnnscope as rs

RATE = 100
"""Samples a second."""

FEWEST = 8
"""Beats below which a recording says nothing of its rhythm."""


class Ecg(nn.Module):
    def __init__(self, width: int, units: int = 32) -> None:
        super().__init__()
        self.gru = nn.GRU(width, units, batch_first=True)
        self.out = nn.Linear(units, 2)

    def forward(self, beats: torch.Tensor) -> torch.Tensor:
        return self.out(self.gru(beats)[0].mean(dim=1))


def beats_of(signal: list[int]) -> np.ndarray:
    """One vector a beat, (beats, 5)."""
    x = np.asarray(signal, dtype=np.float64)
    band = sosfiltfilt(butter(2, [5, 18], "bandpass", fs=RATE, output="sos"), x - np.median(x))
    energy = np.convolve(np.abs(np.gradient(band)), np.ones(9) / 9, mode="same")
    high = np.percentile(energy, 97)
    peaks, _ = find_peaks(energy, distance=25, height=0.35 * high, prominence=0.2 * high)
    if len(peaks) < 3:
        return np.zeros((1, 5), dtype=np.float32)
    gaps = np.diff(peaks) / RATE
    ratio = np.log(gaps[1:] / gaps[:-1])
    here = peaks[2:]
    # From 240 to 80 ms before a beat is where the atria show.
    before = np.array([np.ptp(band[max(0, p - 24) : max(1, p - 8)]) for p in here])
    height = np.array([np.ptp(band[max(0, p - 6) : p + 6]) for p in here]) + 1e-9
    columns = [
        np.log(gaps[1:] / 0.8),
        ratio,
        np.abs(ratio),
        np.log(height / np.median(height)),
        before / height,
    ]
    return np.clip(np.stack(columns, axis=1), -3, 3).astype(np.float32)


def read(file: Path) -> tuple[list[np.ndarray], np.ndarray]:
    table = pl.read_parquet(file).filter(pl.col("label") < 2)
    beats = [beats_of(signal) for signal in table["signal_uv"]]
    kept = [k for k, one in enumerate(beats) if len(one) >= FEWEST]
    return [beats[k] for k in kept], table["label"].to_numpy()[kept]


def irregularity(beats: np.ndarray) -> list[float]:
    """What the simple baseline sees of a recording."""
    return [float(np.std(beats[:, 1])), float(np.median(beats[:, 2])), float(np.std(beats[:, 0]))]


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    sequences, labels = read(folder / "train.parquet")
    held_out, truth = read(folder / "test.parquet")
    scaler = StandardScaler().fit([irregularity(one) for one in sequences])
    simple = LogisticRegression().fit(
        scaler.transform([irregularity(one) for one in sequences]), labels
    )
    baseline = simple.score(scaler.transform([irregularity(one) for one in held_out]), truth)
    torch.manual_seed(0)
    module = Ecg(sequences[0].shape[1])
    fit(module, sequences, labels, epochs=30, rate=4e-3)
    model = rs.from_torch(
        module.double(), documents=held_out[:30], classes=("normal", "fibrillation")
    )
    accuracy = float((model.predict(held_out) == truth).mean())
    majority = float(max(truth.mean(), 1 - truth.mean()))
    # What it holds from beat to beat: where it goes, and rests, while the mean beat is repeated.
    mean = np.concatenate(sequences).mean(axis=0)
    points = rs.find_fixed_points(model, seeds=held_out[:60], inputs=mean, count=200)
    modes = rs.linearize(model, points)
    after = rs.long_run(model, held_out[:60], mean)
    ends = [
        f"{len(seeds)} of {len(after)} states of recordings: {after.sentence(int(seeds[0]))}"
        for seeds in ((after.attractor == k).nonzero() for k in after.attractor.unique())
    ]
    learned = accuracy > max(majority, baseline)
    verdict = "better than both" if learned else "no better than how irregular the beats are"
    slowest = modes.eigenvalues[modes.eigenvalues.abs().amax(dim=-1).argmax()]
    write(
        Path("runs/ecg_gru"),
        rs.figures.spectrum(slowest, title="eigenvalues at the point with the slowest mode").figure,
        after,
        points,
        modes,
        lead=f"Right on {accuracy:.1%} of {len(truth)} recordings it has not seen: {verdict} "
        f"(the commonest class {majority:.1%}, a logistic regression on how irregular the beats "
        f"are {baseline:.1%}). What becomes of it while the mean beat is repeated for ever: "
        f"{' '.join(ends)}",
        certificate=model.certificate.to_dict() if model.certificate else None,
        recordings={"train": len(labels), "test": len(truth)},
        accuracy=accuracy,
        majority=majority,
        irregularity_alone=float(baseline),
        verdict=verdict,
        long_run=after.counts,
    )


if __name__ == "__main__":
    main()
