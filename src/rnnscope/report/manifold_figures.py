"""Branches of fixed points under a moving input, and the drift along a slow curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rnnscope.errors import UsageError
from rnnscope.report.drawing import array, drawing
from rnnscope.report.palette import CLASSES, FAINT, INK, MUTED, PAPER
from rnnscope.report.panel import legend_below

SHAPES = {"fold": "o", "branch point": "s", "period doubling": "D", "Neimark-Sacker": "^"}


@drawing(4.6, 3.6)
def bifurcation_diagram(ax: Axes, branches: Any, direction: Any = None, *, label: str = "") -> None:
    """Fixed points against the input: attracting parts drawn through, others dashed, and a mark
    where something happens.

    Args:
        branches: a branch of ``continue_in_input``, or several along one direction of the input.
        direction: what is shown of the state, (N,): a readout, a mode; the branches' principal
            axis where it is None.
        label: of the vertical axis.
    """
    shown = [branches] if hasattr(branches, "bifurcations") else list(branches)
    if not shown:
        raise UsageError("A diagram shows a branch or more.", got="none")
    states = np.concatenate([array(branch.states) for branch in shown])
    if direction is None:
        centre = states.mean(0)
        along = np.linalg.svd(states - centre, full_matrices=False)[2][0]
        along = along * (1 if along[np.abs(along).argmax()] > 0 else -1)
    else:
        centre, along = np.zeros(states.shape[1]), array(direction).astype(float)
    kinds: set[str] = set()
    for branch in shown:
        s, height = array(branch.s), (array(branch.states) - centre) @ along
        stable = array(branch.stable)
        # A piece ends where the next one starts, so that no gap is left between them.
        cuts = np.flatnonzero(np.diff(stable.astype(int))) + 1
        for piece in np.split(np.arange(len(s)), cuts):
            rows = np.append(piece, min(piece[-1] + 1, len(s) - 1))
            attracts = bool(stable[piece[0]])
            ax.plot(
                s[rows], height[rows], color=INK if attracts else MUTED,
                ls="-" if attracts else (0, (3, 2)), lw=1.6 if attracts else 1.1, zorder=2,
            )  # fmt: skip
        for event in branch.bifurcations:
            kinds.add(event.kind)
            at = (array(event.state) - centre) @ along
            ax.plot(
                [event.s], [at], marker=SHAPES[event.kind], ms=6, mfc=CLASSES[0], mec=INK,
                mew=0.7, ls="none", zorder=4,
            )  # fmt: skip
    word = next((branch.name for branch in shown if branch.name != "direction"), "")
    towards = f"input s, from the one held (0) to {word!r} (1)" if word else "input s, along d"
    ax.axvline(0, color=FAINT, lw=0.7, zorder=0)
    ax.margins(y=0.08)
    ax.set(xlabel=towards, ylabel=label or ("principal axis" if direction is None else "state"))
    handles = [
        Line2D([], [], color=INK, lw=1.6, label="attracts"),
        Line2D([], [], color=MUTED, lw=1.1, ls=(0, (3, 2)), label="does not"),
        *(
            Line2D([], [], marker=SHAPES[kind], ms=6, mfc=CLASSES[0], mec=INK, ls="", label=kind)
            for kind in SHAPES
            if kind in kinds
        ),
    ]
    legend_below(ax, handles, columns=min(4, len(handles)))


@drawing(4.6, 3.2)
def drift_along(ax: Axes, curve: Any) -> None:
    """The network's own motion along a slow curve: to the right above 0, to the left below it.

    Args:
        curve: of ``trace_slow_curve``.
    """
    position = array(curve.position) / curve.scale
    drift = array(curve.drift) / curve.scale
    ax.axhline(0, color=MUTED, lw=0.8, zorder=1)
    ax.fill_between(position, drift, 0, where=drift > 0, color=CLASSES[1], alpha=0.18, lw=0)
    ax.fill_between(position, drift, 0, where=drift < 0, color=CLASSES[0], alpha=0.18, lw=0)
    ax.plot(position, drift, color=INK, lw=1.4, zorder=2)
    for root in curve.roots:
        ax.plot(
            [root.position / curve.scale], [0], marker="o", ms=7, mec=INK, mew=1,
            mfc=INK if root.attracts else PAPER, ls="none", zorder=4,
        )  # fmt: skip
    reach = max(float(np.abs(drift).max()), 1e-12)
    ax.set(xlim=(position[0], position[-1]), ylim=(-1.15 * reach, 1.15 * reach))
    ax.set(xlabel="position along the curve (scales)", ylabel="drift (scales a step)")
    handles = [
        Line2D([], [], marker="o", ms=6, mfc=INK, mec=INK, ls="", label="comes to rest, attracts"),
        Line2D([], [], marker="o", ms=6, mfc=PAPER, mec=INK, ls="", label="at rest, repels"),
    ]
    kinds = {root.attracts for root in curve.roots}
    handles = [handle for handle, kind in zip(handles, (True, False), strict=True) if kind in kinds]
    if handles:
        legend_below(ax, handles, columns=2)
