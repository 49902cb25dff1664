"""Equations as MathML, which browsers draw by themselves: no script, nothing from the network."""

from __future__ import annotations

from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


def mathml(code: str, *, block: bool) -> str:
    try:
        return tex2mathml(code, as_block=block)
    except Exception as error:
        raise ExtensionError(f"not an equation that can be drawn: {code!r}: {error}") from error


def visit_inline(self, node) -> None:
    self.body.append(mathml(node.astext(), block=False))


def visit_block(self, node) -> None:
    self.body.append(f'<div class="equation">{mathml(node.astext(), block=True)}</div>')


def depart(self, node) -> None:
    """The equation is written when the node is entered."""


def skipping(visit):
    from docutils.nodes import SkipNode

    def visit_and_skip(self, node):
        visit(self, node)
        raise SkipNode

    return visit_and_skip


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer(
        "mathml", (skipping(visit_inline), depart), (skipping(visit_block), depart)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
