"""Build the embedded data set from the source distribution of vaderSentiment 3.3.2.

    python scripts/build_embedded.py                  download the package, write the two files
    python scripts/build_embedded.py --sdist FILE     take a source distribution already here
    python scripts/build_embedded.py --check          compare the files with a fresh build

Taken: the movie review, Amazon review and tweet sentences whose mean human rating is at least 1 in
size. Each text is unescaped and its white space folded; of equal texts (case ignored) the first is
kept.

Split: 80 % train, 8 % validation, 12 % test, such that near-duplicates stand in one part. Two
sentences are near-duplicates when, over their lower-case alphanumeric tokens,

- the Jaccard similarity of their token sets is at least 0.7, or
- they share at least half of the 5-word runs of the one with fewer runs, and at least two runs.

Both conditions are searched completely: two sets that similar must share a token among the rarest
few of each (the prefix filter), and two sentences that share runs share at least one. Pairs are
joined into groups, and a hash of a group's text decides its part, so the order of rows is of no
matter and adding a sentence moves only the groups it touches.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import html
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).resolve().parents[1] / "src" / "rnnscope" / "data" / "embedded"
PACKAGE = "vaderSentiment==3.3.2"
INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"
MEMBERS = {
    "movie": "movieReviewSnippets_GroundTruth.txt",
    "amazon": "amazonReviewSnippets_GroundTruth.txt",
    "tweet": "tweets_GroundTruth.txt",
}
SPLITS = (("train", 0.80), ("validation", 0.88), ("test", 1.0))
MIN_VALENCE = 1.0
MEMBER_LIMIT = 32 * 2**20

NOTICE = """\
ratings.tsv.gz was taken from vaderSentiment 3.3.2 (additional_resources/hutto_ICWSM_2014.tar.gz):
the movie review, Amazon review and tweet sentences and their mean human ratings, for ratings of at
least 1 in size, cleaned, freed of repeated texts and split by scripts/build_embedded.py.

Cite: Hutto, C.J. & Gilbert, E.E. (2014). VADER: A Parsimonious Rule-based Model for Sentiment
Analysis of Social Media Text. Eighth International Conference on Weblogs and Social Media
(ICWSM-14). Ann Arbor, MI, June 2014.

The licence of vaderSentiment:

"""


class Sentence(NamedTuple):
    """One rated sentence."""

    id: str
    domain: str
    valence: float
    text: str


def download(folder: Path) -> Path:
    """Fetch the source distribution into `folder` by pip."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ":all:", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    return next(folder.glob("*.tar.gz"))


def read_member(archive: tarfile.TarFile, ending: str) -> bytes:
    """The bytes of the one regular file whose path ends with `ending`; nothing is unpacked."""
    found = [
        member
        for member in archive.getmembers()
        if member.isfile() and f"/{member.name}".endswith(f"/{ending}")
    ]
    if len(found) != 1 or found[0].size > MEMBER_LIMIT:
        raise SystemExit(f"{ending}: expected one file of at most {MEMBER_LIMIT} bytes")
    stream = archive.extractfile(found[0])
    return b"" if stream is None else stream.read()


def read_sdist(path: Path) -> tuple[list[Sentence], str]:
    """All sentences of the three sets, and the licence text."""
    with tarfile.open(path, "r:gz") as outer:
        licence = read_member(outer, "LICENSE.txt")
        inner = read_member(outer, INNER)
    with tarfile.open(fileobj=io.BytesIO(inner), mode="r:gz") as archive:
        sentences = [
            sentence
            for domain, member in MEMBERS.items()
            for sentence in parse(domain, read_member(archive, member).decode("utf-8"))
        ]
    return sentences, licence.decode("utf-8").replace("\r\n", "\n").strip() + "\n"


def parse(domain: str, text: str) -> Iterator[Sentence]:
    """The rows `number<TAB>valence<TAB>sentence` of one set."""
    for line in text.replace("\r\n", "\n").strip().split("\n"):
        number, valence, sentence = line.split("\t")
        parts = [part.zfill(5 if domain == "movie" else 4) for part in number.split("_")]
        yield Sentence("-".join([domain, *parts]), domain, float(valence), clean(sentence))


def clean(text: str) -> str:
    """Entities replaced, doubled apostrophes made a quotation mark, white space folded."""
    return " ".join(html.unescape(text).replace("''", '"').split())


def select(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Clear ratings only, each text once, by id."""
    kept: dict[str, Sentence] = {}
    for sentence in sorted(sentences):
        if abs(sentence.valence) >= MIN_VALENCE and sentence.text:
            kept.setdefault(sentence.text.lower(), sentence)
    return list(kept.values())


def words(text: str) -> list[str]:
    """Lower-case alphanumeric tokens; the whole text where it has none."""
    return re.findall(r"[^\W_]+", text.lower()) or [text.lower()]


def similar_sets(documents: list[list[str]]) -> Iterator[tuple[int, int]]:
    """Every pair of token sets with a Jaccard similarity of at least 7/10."""
    counts = Counter(word for document in documents for word in set(document))
    sets = [set(document) for document in documents]
    index: dict[str, list[int]] = defaultdict(list)
    for place in sorted(range(len(sets)), key=lambda place: (len(sets[place]), place)):
        mine = sets[place]
        needed = -(-7 * len(mine) // 10)
        rare_first = sorted(mine, key=lambda word: (counts[word], word))
        prefix = rare_first[: len(mine) - needed + 1]
        for other in {other for word in prefix for other in index[word]}:
            shared = len(mine & sets[other])
            if 10 * shared >= 7 * (len(mine) + len(sets[other]) - shared):
                yield other, place
        for word in prefix:
            index[word].append(place)


def shared_runs(documents: list[list[str]], length: int = 5) -> Iterator[tuple[int, int]]:
    """Every pair that shares two runs of words and half the runs of the one with fewer."""
    runs = [
        {tuple(document[start : start + length]) for start in range(len(document) - length + 1)}
        for document in documents
    ]
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, mine in enumerate(runs):
        for other, shared in Counter(other for run in mine for other in index[run]).items():
            if shared >= 2 and 2 * shared >= min(len(mine), len(runs[other])):
                yield other, place
        for run in mine:
            index[run].append(place)


def grouped(texts: list[str]) -> list[list[int]]:
    """Groups of texts joined, directly or through others, by near-duplication."""
    documents = [words(text) for text in texts]
    parent = list(range(len(texts)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for pairs in (similar_sets(documents), shared_runs(documents)):
        for one, other in pairs:
            parent[root(one)] = root(other)
    groups: dict[int, list[int]] = defaultdict(list)
    for place in range(len(texts)):
        groups[root(place)].append(place)
    return list(groups.values())


def part_of(texts: Iterable[str]) -> str:
    """The split of a group of texts, by the hash of its first text in sorted order."""
    digest = hashlib.sha256(f"rnnscope embedded: {min(texts)}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    return next(name for name, bound in SPLITS if position < bound)


def table(sentences: list[Sentence]) -> bytes:
    """The table as tab-separated UTF-8 text, rows by id."""
    texts = [sentence.text for sentence in sentences]
    split: dict[int, str] = {}
    for group in grouped(texts):
        split.update(dict.fromkeys(group, part_of(texts[place] for place in group)))
    rows = ["id\tsplit\tdomain\tvalence\ttext"]
    rows += [
        f"{sentence.id}\t{split[place]}\t{sentence.domain}\t{sentence.valence:.3f}\t{sentence.text}"
        for place, sentence in enumerate(sentences)
    ]
    return ("\n".join(rows) + "\n").encode("utf-8")


def compress(content: bytes) -> bytes:
    """Gzip without a time stamp or a file name: equal content gives equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def build(sdist: Path) -> dict[str, bytes]:
    """The two files, by name."""
    sentences, licence = read_sdist(sdist)
    return {
        "ratings.tsv.gz": compress(table(select(sentences))),
        "LICENSE.vaderSentiment.txt": (NOTICE + licence).encode("utf-8"),
    }


def same(name: str, one: bytes, other: bytes) -> bool:
    """Equal content; compressed files by what they hold, since zlib versions differ in bytes."""
    if one == other:
        return True
    return name.endswith(".gz") and gzip.decompress(one) == gzip.decompress(other)


def main() -> int:
    """Write the files, or compare them with `--check`."""
    parser = argparse.ArgumentParser(description="Build the embedded data set.")
    parser.add_argument("--sdist", type=Path, help="a vaderSentiment source distribution")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = build(options.sdist or download(Path(folder)))
    TARGET.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for name, content in files.items():
        path = TARGET / name
        if options.check:
            equal = path.exists() and same(name, path.read_bytes(), content)
            wrong += not equal
            print(f"{name}: {'equal' if equal else 'DIFFERENT'}")
        else:
            path.write_bytes(content)
            print(f"{name}: {len(content):,} bytes")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
