"""What became of a seed, in words."""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """What was found from one seed. The value is the sentence."""

    ROOT = "An isolated fixed point: residual at rounding level, J - I regular, verified."
    CONTINUUM = (
        "A fixed point that is not isolated: residual at rounding level, and others beside it "
        "along the null directions of J - I."
    )
    GHOST = "A local minimum of the speed that is no fixed point; what a nearby pair of roots left."
    MANIFOLD = (
        "A point of the slow manifold: its fast directions are at rest, along the slow ones it "
        "drifts as measured, and it lies near its seed."
    )
    NOT_CONVERGED = "The descent stopped at a point that is neither a fixed point nor a ghost."
    DIVERGED = "The descent left every neighbourhood of the seeds."
    NOT_FINITE = "The network's step is not finite at the seed."

    @property
    def sentence(self) -> str:
        """The outcome as a full sentence."""
        return self.value
