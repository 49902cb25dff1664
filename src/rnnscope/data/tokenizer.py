"""The default tokenizer: a string in, lower-case words, numbers, emoticons and marks out."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["tokenize"]

# Python's \w leaves out combining marks, which would break words of Indic and Arabic scripts.
_MARKS = "".join(
    re.escape(chr(code))
    for code in range(0x300, 0x10000)
    if unicodedata.category(chr(code))[0] == "M"
)
_CONTROL = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"
_WORD = rf"[^\W_]++(?:[{_MARKS}]++[^\W_]*+)*+"

# Possessive quantifiers keep every alternative linear in the length of the text.
_TOKEN = re.compile(
    rf"""
    https?://[^\s{_CONTROL}]*[\w/]                  # an address, less the marks that end it
    | (?<!\w)</?3(?!\w)                             # <3 </3
    | [:;=]'?-?[()]                                 # :) :-( ;) =) :'(
    | (?<!\w)[:;=]'?-?(?:[/\\|*](?!/)|[dpo3](?!\w)) # :/ :| :* :D :P =D
    | \^_*\^ | (?<!\w)-_+-                          # ^^ ^_^ -_-
    | \d++(?:[.,:]\d++)++                           # 1,000  3.5  10:30
    | {_WORD}(?:'{_WORD})*+                         # word  don't  4th
    | [^\s{_CONTROL}][{_MARKS}]*+                   # any other mark, alone
    """,
    re.VERBOSE,
)

_REPLACED: dict[int, str | None] = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201b\u02bc\u2032"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011"), "-"),
    ord("\u200b"): " ",
    # Soft hyphens, joiners, direction marks and byte-order marks are not seen by a reader.
    **dict.fromkeys([0xAD, *range(0x200C, 0x2010), *range(0x202A, 0x202F)]),
    **dict.fromkeys([*range(0x2060, 0x2070), 0xFEFF]),
}

# Letters of emoticons are written the way people type them, whatever the case of the text.
_EMOTICON_CASE: dict[str, str] = {
    eyes + nose + mouth: eyes + nose + mouth.upper()
    for eyes in ":;="
    for nose in ("", "-", "'", "'-")
    for mouth in "dpo"
}


def tokenize(text: str) -> list[str]:
    """Split `text` into tokens; any string is accepted, and the work is linear in its length.

    The text is lower-cased and NFC-normalised, curly quotes become straight ones. Then, from left
    to right, the first that fits is one token:

    - a web address (`http://a.b/c`);
    - a common emoticon (`:)`, `:-(`, `;)`, `:D`, `:'(`, `=)`, `<3`, `^_^`), letters in upper case;
    - a number with inner `.`, `,` or `:` (`1,000`, `3.5`, `10:30`);
    - a word of letters and digits, contractions kept whole (`don't`, `rock'n'roll`, `4th`);
    - any other visible character by itself. So `well-made` gives `well`, `-`, `made`, and `!!!`
      gives three tokens.

    White space, control characters, lone surrogates and invisible formatting are dropped, so the
    result may be empty. Tokens joined by spaces give the same tokens again.

    Returns:
        the tokens, in order.
    """
    text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_REPLACED))
    tokens: list[str] = _TOKEN.findall(text)
    return [_EMOTICON_CASE.get(token, token) for token in tokens]
