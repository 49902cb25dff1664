"""Questions from a file or from the package."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from rnnscope.errors import UsageError
from rnnscope.qa.corpus import QuestionCorpus
from rnnscope.qa.readers import read_babi, read_jsonl, read_squad

__all__ = ["load_questions"]

EMBEDDED = ("embedded", "embedded:questions")


def load_questions(source: str | Path | QuestionCorpus) -> QuestionCorpus:
    """Questions from a file; what is a corpus already is given back.

    Args:
        source: "embedded" for the generated set that comes with the package, or the path of a
            ``.jsonl`` (also ``.jsonl.gz``), SQuAD-like ``.json`` or bAbI ``.txt`` file.

    Raises:
        UsageError: there is no such file, or it has another ending.
        DataError: it does not hold what its ending says.
    """
    if isinstance(source, QuestionCorpus):
        return source
    if str(source) in EMBEDDED:
        packed = files("rnnscope.data") / "embedded" / "questions.jsonl.gz"
        with as_file(packed) as path:
            return read_jsonl(path)
    path = Path(source)
    name = path.name.removesuffix(".gz")
    for ending, read in ((".jsonl", read_jsonl), (".json", read_squad), (".txt", read_babi)):
        if name.endswith(ending):
            return read(path)
    raise UsageError(
        "Questions are read from files of known endings.",
        expected='.jsonl, .jsonl.gz, .json (SQuAD-like), .txt (bAbI), or "embedded"',
        got=str(source),
    )
