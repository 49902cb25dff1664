"""Types in signatures, by the name under which the public page has them.

autodoc names a type by the private module it is written in. A public type is linked to its own
page; one that is private, or another library's, is shown by its name without a link. A name that a
page itself refers to, and that does not exist, stays a warning.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import rnnscope


def resolve(app: Sphinx, env, node: pending_xref, contnode):
    if node.get("refdomain") != "py" or "rnnscope" not in node.get("py:module", ""):
        return None
    target = node["reftarget"]
    last = target.rpartition(".")[2]
    wanted = f"rnnscope.{last}"
    if last in rnnscope.__all__ and wanted != target:
        domain = env.get_domain("py")
        found = domain.resolve_any_xref(
            env, node.get("refdoc", ""), app.builder, wanted, node, nodes.inline("", last)
        )
        if found:
            return found[0][1]
    return nodes.inline("", last)


def outside_literals(pattern: str, replacement: str, line: str) -> str:
    parts = line.split("``")
    parts[::2] = [re.sub(pattern, replacement, part) for part in parts[::2]]
    return "``".join(parts)


def plain(app: Sphinx, what, name, obj, options, lines: list[str]) -> None:
    """Docstrings are plain text with code between double backticks: |x| and * mean themselves."""
    lines[:] = [outside_literals(r"([|*])", r"\\\1", line) for line in lines]


def plain_names(app: Sphinx, what, name, obj, options, lines: list[str]) -> None:
    """So does the underscore of scikit-learn's fitted attributes, also in a field's name."""
    lines[:] = [outside_literals(r"(?<=\w)_(?!\w)", r"\\_", line) for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("missing-reference", resolve)
    app.connect("autodoc-process-docstring", plain, priority=400)
    app.connect("autodoc-process-docstring", plain_names, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
