"""Links from the pages to files of the repository: ``[text](../src/rnnscope/...)``.

On a code host they lead to the file; in the site each such file becomes a page of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

LANGUAGES = {".py": "python", ".toml": "toml", ".md": "markdown", ".json": "json"}
FOLDER = "repository"


class LinkRepositoryFiles(SphinxTransform):
    """A link to a file outside the documentation becomes a link to that file's page."""

    default_priority = 200

    def apply(self, **kwargs) -> None:
        root = Path(self.env.srcdir).resolve().parent
        found: set[str] = set()
        for node in list(self.document.findall(addnodes.download_reference)):
            _, path = self.env.relfn2path(node["reftarget"], self.env.docname)
            path = Path(path).resolve()
            if path.is_relative_to(self.env.srcdir) or path.suffix not in LANGUAGES:
                continue
            name = path.relative_to(root).as_posix()
            found.add(name)
            up = "../" * self.env.docname.count("/")
            link = nodes.reference("", "", refuri=f"{up}{FOLDER}/{name}.html", internal=True)
            link += node.children
            node.replace_self(link)
        pages(self.env)[self.env.docname] = found


def pages(env) -> dict[str, set[str]]:
    if not hasattr(env, "repository_files"):
        env.repository_files = {}
    return env.repository_files


def forget(app: Sphinx, env, docname: str) -> None:
    pages(env).pop(docname, None)


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, str], str]]:
    root = Path(app.env.srcdir).resolve().parent
    for name in sorted(set().union(*pages(app.env).values())):
        path = root / name
        code = app.builder.highlighter.highlight_block(
            path.read_text(encoding="utf-8"), LANGUAGES[path.suffix], linenos=False
        )
        title = escape(name)
        yield f"{FOLDER}/{name}", {"title": title, "body": f"<h1>{title}</h1>{code}"}, "page.html"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(LinkRepositoryFiles)
    app.connect("env-purge-doc", forget)
    app.connect("html-collect-pages", collect)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
