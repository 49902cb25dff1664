"""Options of ``find_fixed_points``."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from rnnscope.dynamics.linalg import EPS
from rnnscope.errors import UsageError

SOLVER_NAMES = ("slow_manifold", "levenberg_marquardt", "shifted_newton", "chord", "flow", "adam")


@dataclass(frozen=True, kw_only=True)
class FixedPointOptions:
    """How fixed points are sought. "Scale" is the seeds' mean distance to their centroid.

    Attributes:
        solver: "slow_manifold" projects every seed onto the slow manifold, and descends as many as
            it takes to find the roots; "levenberg_marquardt", "shifted_newton", "chord", "flow" and
            "adam" take every seed to a root or a ghost, which slides it along a slow manifold.
        count: visited states drawn as seeds from documents or trajectories.
        rng: seed of that draw.
        slow_time: steps; directions whose eigenvalue is within ``1 / slow_time`` of 1 are slow.
        near: how far a manifold point may lie from its seed, in scales.
        fast_tolerance: residual a manifold point may keep in fast directions, in scales.
        tolerance: the largest q' = 1/2 ||h - F(h)||^2 of a fixed point.
        stationarity: a point with ``||A^T G|| / ||G||`` below this is stationary for q.
        max_steps: most steps of the descent of q, per seed.
        far: a descent this many scales from its seed has diverged.
        searches: of a wide network, how many seeds on the slow manifold are descended to look for
            roots and ghosts, beside those off it; a narrow one's all are.
        basins: whether the flow from every seed is followed to the root it leads to.
        checks: of the seeds whose flow was followed, how many are iterated step by step as well.
        check_steps: most steps of that iteration.
        region: a point this close to a seed, in scales, is inside the visited region.
        device: where what is done for all seeds at once is done, as torch names it: projection
            and flow of wide networks, Levenberg-Marquardt from all seeds; None for the CPU, or in
            ``find_on`` for a GPU where the worker has one. What is done for single points stays
            on the CPU, and so does a network with a callable of yours in it.
    """

    solver: str = "slow_manifold"
    count: int = 256
    rng: int = 0
    slow_time: float = 20.0
    near: float = 2.0
    fast_tolerance: float = 1e-4
    tolerance: float = 1e-22
    stationarity: float = 1e-8
    max_steps: int = 100
    far: float = 1e3
    searches: int = 12
    basins: bool = True
    checks: int = 32
    check_steps: int = 10_000
    region: float = 1.0
    device: str | None = None

    def __post_init__(self) -> None:
        floor = EPS**2
        if self.solver not in SOLVER_NAMES:
            raise UsageError(
                "The solver must be known.",
                expected=", ".join(SOLVER_NAMES),
                got=repr(self.solver),
            )
        if not isinstance(self.device, str | None):
            raise UsageError(
                "The option device must be named as torch names it.",
                expected="'cpu', 'cuda', 'cuda:1', ..., or None",
                got=repr(self.device),
            )
        for name in ("count", "rng", "max_steps", "searches", "checks", "check_steps"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise UsageError(f"The option {name} must be a whole number.", got=repr(value))
        if not 0 <= self.rng < 2**63:
            raise UsageError(
                "The option rng must be a seed.", expected="0 to 2**63 - 1", got=str(self.rng)
            )
        for name, least in (
            ("count", 1),
            ("slow_time", 1),
            ("near", 0),
            ("fast_tolerance", EPS),
            ("tolerance", floor),
            ("stationarity", EPS),
            ("max_steps", 1),
            ("far", 1),
            ("searches", 1),
            ("checks", 0),
            ("check_steps", 1),
            ("region", 0),
        ):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and least <= value < float("inf")):
                raise UsageError(
                    f"The option {name} is out of range.",
                    expected=f"a finite number, at least {least:.3g}",
                    got=repr(value),
                    fix="the search works in float64, torch's widest dtype; ask for what it can "
                    "resolve"
                    if least < 1e-9
                    else "",
                )

    @classmethod
    def of(cls, options: FixedPointOptions | None, changes: dict[str, Any]) -> FixedPointOptions:
        """These options, with keyword options put over them.

        Raises:
            UsageError: a keyword is no option.
        """
        known = [field.name for field in fields(cls)]
        for name in changes:
            if name not in known:
                raise UsageError(
                    "find_fixed_points has no such option.", expected=", ".join(known), got=name
                )
        return replace(options or cls(), **changes)
