"""Leave one out: what a class's logit loses when one word is taken out of the text.

values_{j,i} = logit_i(x_1 .. x_T) - logit_i(x_1 .. x_{j-1}, x_{j+1} .. x_T)
"""

from __future__ import annotations

from typing import ClassVar

from rnnscope.models import Model
from rnnscope.scores.occlusion import ChangedWord


class LeaveOneOut(ChangedWord):
    """The drop of each class's logit when one word is removed and the text closes up.

    Exact: it is an intervention, run on the network itself. Not accounted for: the other words,
    which stay. Of a document whose only word is removed the readout sees the state before the
    first word, for pooled readouts too.

    Args:
        model: the network, with a readout.
    """

    name: ClassVar[str] = "leave one out"

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._base = None
