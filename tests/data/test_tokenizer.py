"""The tokenizer: what it is documented to do, on any string, in linear time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnscope.data import tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Good Film", ["good", "film"]),
        ("I don't; it’s rock'n'roll", ["i", "don't", ";", "it's", "rock'n'roll"]),
        ("'quoted' dogs'", ["'", "quoted", "'", "dogs", "'"]),
        ("a well-made film", ["a", "well", "-", "made", "film"]),
        ("1,000 3.5 10:30 4th mp3 3.", ["1,000", "3.5", "10:30", "4th", "mp3", "3", "."]),
        ("no!!!", ["no", "!", "!", "!"]),
        ("fun:) sad :-( wink ;)", ["fun", ":)", "sad", ":-(", "wink", ";)"]),
        (":D :d =D :p :'( <3 </3 ^_^", [":D", ":D", "=D", ":P", ":'(", "<3", "</3", "^_^"]),
        ("note:done a:/b c:\\d", ["note", ":", "done", "a", ":", "/", "b", "c", ":", "\\", "d"]),
        ("see http://a.b/c. (https://x.y)", ["see", "http://a.b/c", ".", "(", "https://x.y", ")"]),
        ("@me #tag snake_case", ["@", "me", "#", "tag", "snake", "_", "case"]),
        ("“Café” cafe\u0301", ['"', "café", '"', "café"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("co\u00adoperate\u200bnow\ufeff", ["cooperate", "now"]),
        ("a\x00b\x07\ud800c\u2028d", ["a", "b", "c", "d"]),
        ("❤️ 👍", ["❤️", "👍"]),
        ("", []),
        (" \t\n\x1f", []),
    ],
)
def test_documented_cases(text, tokens):
    assert tokenize(text) == tokens


any_text = st.text(st.characters()) | st.text(":;=-'()<>3dpDP^_/\\|*1.,a @ht:/ \u0301\u2019")


@given(any_text)
def test_any_string_gives_visible_tokens(text):
    tokens = tokenize(text)
    assert all(token and not any(c.isspace() for c in token) for token in tokens)


@given(any_text)
def test_tokens_joined_by_spaces_give_the_same_tokens(text):
    tokens = tokenize(text)
    assert tokenize(" ".join(tokens)) == tokens


@given(st.text("abcXYZ019.,!?:;-' ", min_size=1))
def test_nothing_visible_is_lost(text):
    assert "".join(tokenize(text)).lower() == text.lower().replace(" ", "")


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1.",
        "a'",
        "a",
        ":",
        ":-",
        "http://",
        "http://!",
        "-",
        "_",
        "^_",
        "<",
        "\u0301",
        "a\u0301",
    ],
)
def test_long_runs_end(unit):
    """A pattern that backtracks would not come back before the test's time limit."""
    text = unit * 200_000
    assert sum(map(len, tokenize(text))) <= len(text)
