"""Tables for a notebook: escaped, script-free, and read by an HTML parser as written."""

from __future__ import annotations

from html.parser import HTMLParser

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope.notebook import html_table

ALLOWED = {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}


class Reader(HTMLParser):
    """The tags of a page, balanced, and the text of each cell."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells = [], set(), []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert not attrs
        self.open.append(tag)
        self.tags.add(tag)
        if tag in ("td", "th", "caption"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th", "caption"):
            self.cells[-1] += data


def seen(text):
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@settings(max_examples=80, deadline=None)
@given(st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_whatever_stands_in_a_table_is_text(title, rows):
    read = Reader(html_table(title, rows, head=("<b>", "a & b")))
    assert read.tags <= ALLOWED
    assert read.cells == [seen(title), "<b>", "a & b", *(seen(c) for row in rows for c in row)]


def test_numbers_are_short_and_what_is_missing_is_empty():
    row = (12345, 0.123456, float("nan"), None, float("inf"), True, 1 + 2j, torch.tensor(2.5))
    read = Reader(html_table("t", [row]))
    assert read.cells == ["t", "12,345", "0.123", "", "", "∞", "True", "1+2j", "2.5"]


def test_rows_beyond_the_limit_are_counted():
    text = html_table("t", [(k,) for k in range(1207)], limit=5)
    assert text.count("<td>") == 5
    assert "1,202 more rows" in text


def test_a_digest_is_cut():
    shown = html_table("t", [("fingerprint", "0123456789abcdef" * 4), ("word", "0123456789abcdef")])
    assert "<td>0123456789ab…</td>" in shown
    assert "<td>0123456789abcdef</td>" in shown
