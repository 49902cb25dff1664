"""The build script, on small archives made here."""

from __future__ import annotations

import gzip
import importlib.util
import io
import random
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "build_embedded.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("build_embedded", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


MOVIES = ["2.5\tA ''great'' film &amp;  more.", "-1.5\tdull", "0.5\tso so", "1.0\tA fine film"]
AMAZON = ["-2\tBroken.", "-3\tDULL"]
TWEETS = ["3.1\tlove it :)"]


def archive(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def numbered(rows, sub=""):
    return "\r\n".join(f"{n}{sub}\t{row}" for n, row in enumerate(rows, 1)).encode()


@pytest.fixture
def sdist(tmp_path):
    inner = archive(
        {
            "hutto/movieReviewSnippets_GroundTruth.txt": numbered(MOVIES),
            "hutto/amazonReviewSnippets_GroundTruth.txt": numbered(AMAZON, "_1"),
            "hutto/tweets_GroundTruth.txt": numbered(TWEETS),
            "../../evil.txt": b"never unpacked",
        }
    )
    path = tmp_path / "package-1.tar.gz"
    path.write_bytes(
        archive(
            {
                "package-1/LICENSE.txt": b"The MIT License\r\n",
                "package-1/additional_resources/hutto_ICWSM_2014.tar.gz": inner,
            }
        )
    )
    return path


def test_build(script, sdist):
    files = script.build(sdist)
    assert files == script.build(sdist)
    assert files["LICENSE.vaderSentiment.txt"].decode().endswith("The MIT License\n")
    lines = gzip.decompress(files["ratings.tsv.gz"]).decode().splitlines()
    assert lines[0].split("\t") == ["id", "split", "domain", "valence", "text"]
    rows = [line.split("\t") for line in lines[1:]]
    assert [(key, domain, valence, text) for key, _, domain, valence, text in rows] == [
        ("amazon-0001-0001", "amazon", "-2.000", "Broken."),
        ("amazon-0002-0001", "amazon", "-3.000", "DULL"),
        ("movie-00001", "movie", "2.500", 'A "great" film & more.'),
        ("movie-00004", "movie", "1.000", "A fine film"),
        ("tweet-0001", "tweet", "3.100", "love it :)"),
    ]


def test_compressed_files_carry_no_time(script):
    packed = script.compress(b"text")
    assert packed[4:8] == b"\0\0\0\0"
    assert script.same("a.gz", packed, gzip.compress(b"text", 1))
    assert not script.same("a.gz", packed, script.compress(b"other"))
    assert not script.same("a.txt", b"a", b"b")


def test_check_writes_nothing_and_tells(script, sdist, tmp_path, monkeypatch, capsys):
    target = tmp_path / "target"
    monkeypatch.setattr(script, "TARGET", target)
    arguments = ["build_embedded.py", "--sdist", str(sdist)]
    monkeypatch.setattr(sys, "argv", arguments)
    assert script.main() == 0
    monkeypatch.setattr(sys, "argv", [*arguments, "--check"])
    assert script.main() == 0
    (target / "LICENSE.vaderSentiment.txt").write_text("changed")
    assert script.main() == 1
    assert (target / "LICENSE.vaderSentiment.txt").read_text() == "changed"
    assert "LICENSE.vaderSentiment.txt: DIFFERENT" in capsys.readouterr().out


def test_a_package_without_the_data(script, tmp_path):
    path = tmp_path / "wrong.tar.gz"
    path.write_bytes(archive({"wrong/LICENSE.txt": b"text"}))
    with pytest.raises(SystemExit, match="hutto"):
        script.read_sdist(path)


documents = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=12), max_size=12)


@given(documents)
def test_similar_sets_are_all_found(script, rows):
    sets = [set(row) for row in rows]
    expected = {
        (i, j)
        for i in range(len(sets))
        for j in range(i)
        if 10 * len(sets[i] & sets[j]) >= 7 * len(sets[i] | sets[j])
    }
    found = [tuple(sorted(pair, reverse=True)) for pair in script.similar_sets(rows)]
    assert len(found) == len(set(found))
    assert set(found) == expected


@given(st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=14), max_size=10))
def test_shared_runs_are_all_found(script, rows):
    runs = [{tuple(row[k : k + 5]) for k in range(len(row) - 4)} for row in rows]
    expected = set()
    for i in range(len(runs)):
        for j in range(i):
            shared = len(runs[i] & runs[j])
            if shared >= 2 and shared / min(len(runs[i]), len(runs[j])) >= 0.5:
                expected.add((i, j))
    found = {tuple(sorted(pair, reverse=True)) for pair in script.shared_runs(rows)}
    assert found == expected


def test_groups_join_through_others(script):
    texts = ["a b c d e f g", "a b c d e f g h", "a b c d e f g h i j", "x", "X!", "y z"]
    groups = {frozenset(group) for group in script.grouped(texts)}
    assert groups == {frozenset({0, 1, 2}), frozenset({3, 4}), frozenset({5})}


def test_parts_do_not_depend_on_the_order(script):
    rows = [
        script.Sentence(f"movie-{n:05}", "movie", 2.0, f"w{n} w{n + 1} w{n // 2}")
        for n in range(300)
    ]

    def parts(sentences):
        lines = script.table(sentences).decode().splitlines()[1:]
        return {line.split("\t")[0]: line.split("\t")[1] for line in lines}

    shuffled = random.Random(0).sample(rows, len(rows))
    assert parts(rows) == parts(shuffled)
    assert set(parts(rows).values()) == {"train", "validation", "test"}
