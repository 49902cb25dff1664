"""A network that remembers three bits (Sussillo & Barak 2013): its eight memories are fixed points.

python examples/flip_flop.py            about a minute; no data needed
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import torch
from common import write
from matplotlib.figure import Figure
from torch import nn

import rnnscope as rs


class FlipFlop(nn.Module):
    """Three inputs that pulse -1 or +1; three outputs that hold the last pulse of each."""

    def __init__(self, units: int = 48) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, units, batch_first=True)
        self.out = nn.Linear(units, 3)

    def forward(self, pulses: torch.Tensor) -> torch.Tensor:
        return self.out(self.rnn(pulses)[0])


def trials(count: int, steps: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    pulses = rng.choice([-1.0, 0.0, 1.0], p=[0.06, 0.88, 0.06], size=(count, steps, 3))
    pulses[:, 0] = rng.choice([-1.0, 1.0], size=(count, 3))
    held = pulses.copy()
    for t in range(1, steps):
        held[:, t] = np.where(pulses[:, t] == 0, held[:, t - 1], pulses[:, t])
    return torch.tensor(pulses, dtype=torch.float32), torch.tensor(held, dtype=torch.float32)


def cube(outputs: np.ndarray, unstable: np.ndarray) -> Figure:
    """The fixed points where the readout puts them, by their number of unstable directions."""
    figure = Figure(figsize=(7, 5.5))
    axes = figure.add_subplot(projection="3d")
    for ends in product((-1, 1), repeat=2):
        for k in range(3):
            places = np.insert(np.array([ends, ends], dtype=float), k, (-1, 1), axis=1)
            axes.plot(*places.T, color="0.8", lw=1)
    for count, colour in enumerate(("#0072B2", "#E69F00", "#CC79A7", "#000000")):
        here = outputs[unstable == count]
        name = "stable" if count == 0 else f"{count} unstable direction{'s' * (count > 1)}"
        axes.scatter(
            *here.T, s=70 - 15 * count, color=colour, depthshade=False, label=f"{len(here)}: {name}"
        )
    axes.set(xlabel="bit 1", ylabel="bit 2", zlabel="bit 3")
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_ticks([-1, 0, 1])
    axes.legend(loc="upper left", bbox_to_anchor=(1.05, 0.9), frameon=False)
    return figure


def main() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    module = FlipFlop()
    optimizer = torch.optim.Adam(module.parameters(), lr=5e-3)
    for step in range(800):
        pulses, held = trials(64, 40, rng)
        loss = nn.functional.mse_loss(module(pulses), held)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 200 == 199:
            print(f"step {step + 1}: error {float(loss.detach()):.4f}", flush=True)

    pulses, _ = trials(64, 60, rng)
    documents = list(pulses.numpy().astype(np.float64))
    model = rs.from_torch(module.double(), documents=documents, classes=("bit 1", "bit 2", "bit 3"))
    points = rs.find_fixed_points(model, seeds=documents, inputs="zero", count=400)
    modes = rs.linearize(model, points.roots)
    unstable = (modes.eigenvalues.abs() > 1).sum(dim=-1)
    stable = (unstable == 0).nonzero().flatten().tolist()
    read = (points.roots.states @ module.out.weight.T + module.out.bias).detach()
    outputs = read[stable]
    corners = {tuple(row) for row in torch.sign(outputs).int().tolist()}
    write(
        Path("runs/flip_flop"),
        cube(read.numpy(), unstable.numpy()),
        points,
        modes,
        lead=f"The network holds each of the {len(corners)} memories at a stable fixed point: a "
        "corner of the cube. Between two corners lies a saddle with one direction in which "
        "differences grow, in a face one with two, in the middle one with three: a pulse that "
        "pushes the state past a saddle changes the memory.",
        certificate=model.certificate.to_dict() if model.certificate else None,
        roots=len(points.roots),
        stable_roots=len(stable),
        memories=sorted(corners),
        outputs_at_stable_roots=outputs.round(decimals=2).tolist(),
    )


if __name__ == "__main__":
    main()
