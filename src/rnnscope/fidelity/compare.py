"""Descriptions of one network side by side, always beside what needs no network to find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from rnnscope.errors import UsageError
from rnnscope.fidelity.baselines import BagOfNgrams, BagOfWords, Majority
from rnnscope.fidelity.judge import Description, Fidelity, answers_of, check_judged, judged
from rnnscope.notebook import html_table
from rnnscope.statistics import Estimate, finite, paired_difference

BASELINES = {
    "majority class": Majority,
    "bag of words": BagOfWords,
    "bag of 1-3-grams": BagOfNgrams,
}
"""Fitted to the network's predictions, on the texts that the descriptions were made from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison(Sequence[Fidelity]):
    """Descriptions judged on the same documents, the baselines after those that were given.

    Args:
        rows: how each was judged.
        given: (documents,) the class that each gives, by name.
        network: (documents,) the network's.
        left_out: baselines that could not be fitted, and why.
    """

    rows: tuple[Fidelity, ...]
    given: dict[str, np.ndarray]
    network: np.ndarray
    left_out: dict[str, str]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """A row by its place or by its name."""
        if not isinstance(index, str):
            return self.rows[index]
        return self.rows[list(self.given).index(self._known(index))]

    def difference(self, name: str, other: str) -> Estimate:
        """The agreement of one minus that of another, with a paired bootstrap interval.

        Raises:
            UsageError: there is no description of that name.
        """
        hits = [self.given[self._known(n)] == self.network for n in (name, other)]
        return paired_difference(*hits)

    def _known(self, name: str) -> str:
        if name not in self.given:
            raise UsageError(
                "A description is called by the name it was given.",
                expected=", ".join(self.given),
                got=name,
            )
        return name

    def to_frame(self) -> pl.DataFrame:
        """One row a description; each figure with its ``_low`` and ``_high``."""
        return pl.DataFrame([_flat(row) for row in self.rows], infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: None for what is not a number."""
        return {"rows": [row.to_dict() for row in self.rows], "left_out": dict(self.left_out)}

    def __repr__(self) -> str:
        head, *body = self._cells()
        widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
        lines = [f"Comparison on {len(self.network)} documents"]
        for cells in (head, *body):
            padded = [c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True)]
            lines.append("  " + "  ".join([cells[0].ljust(widths[0]), *padded]))
        lines += [f"  {name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head, *body = self._cells()
        notes = html_table("Left out", self.left_out.items()) if self.left_out else ""
        title = f"Descriptions of the network on {len(self.network):,} documents"
        return html_table(title, body, head=head) + notes

    def _cells(self) -> list[list[str]]:
        head = ["description", "size", "agreement", "balanced", "kappa", "accuracy", "coverage"]
        table = [[*head, "documents/s"]]
        for row in self.rows:
            table.append(
                [
                    row.name,
                    f"{row.size:,}",
                    f"{row.agreement}",
                    _short(row.balanced),
                    _short(row.kappa),
                    _short(row.accuracy),
                    _short(row.covered),
                    f"{row.documents_per_second:,.0f}",
                ]
            )
        return table


def compare(
    descriptions: Mapping[str, Description],
    documents: Sequence[Any],
    *,
    network: np.ndarray,
    fitted_on: tuple[Sequence[Any], np.ndarray],
    labels: np.ndarray | None = None,
    probabilities: np.ndarray | None = None,
) -> Comparison:
    """Judge descriptions side by side, with the baselines: majority class, bag of words, bag of
    1-3-grams, each fitted to the network's predictions on the texts the descriptions came from.

    Args:
        descriptions: by name.
        documents: held-out token lists.
        network: the network's class of each.
        fitted_on: the token lists that the descriptions were made from, and the network's class
            of each.
        labels: the true class of each held-out document, or None.
        probabilities: the network's on the held-out documents, or None.

    Raises:
        DataError: the arrays do not belong together, or there is nothing to judge on.
        UsageError: a description has a baseline's name.
    """
    network = check_judged(documents, network, labels)
    for name in BASELINES:
        if name in descriptions:
            raise UsageError("A description must not take a baseline's name.", got=name)
    texts = fitted_on[0]
    classes = check_judged(texts, fitted_on[1], None)
    everyone: dict[str, Description] = dict(descriptions)
    left_out: dict[str, str] = {}
    for name, baseline in BASELINES.items():
        fitted = baseline.fit(texts, classes)
        if fitted is None:
            left_out[name] = "The network gives one class only on the texts it would be fitted to."
        else:
            everyone[name] = fitted
    rows: list[Fidelity] = []
    given: dict[str, np.ndarray] = {}
    for name, description in everyone.items():
        answers = answers_of(description, documents)
        given[name] = answers.given
        rows.append(
            judged(
                name,
                description,
                documents,
                answers=answers,
                network=network,
                labels=labels,
                probabilities=probabilities,
            )
        )
    return Comparison(rows=tuple(rows), given=given, network=network, left_out=left_out)


def _short(estimate: Estimate | None) -> str:
    return "-" if estimate is None or not estimate.known else f"{estimate.value:.3f}"


def _flat(row: Fidelity) -> dict[str, Any]:
    flat: dict[str, Any] = {"name": row.name, "size": row.size}
    for figure in ("agreement", "balanced", "kappa", "accuracy", "covered"):
        estimate: Estimate | None = getattr(row, figure)
        title = "coverage" if figure == "covered" else figure
        flat[title] = None if estimate is None else finite(estimate.value)
        flat[f"{title}_low"] = None if estimate is None else finite(estimate.low)
        flat[f"{title}_high"] = None if estimate is None else finite(estimate.high)
    flat["consulted"] = None if row.consulted is None else row.consulted.value
    flat["documents_per_second"] = row.documents_per_second
    return flat
