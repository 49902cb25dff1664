"""Whatever happens while something is written, the old or the new is there, never half of one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from rnnscope import storage
from rnnscope.errors import UsageError

FILES = ("a.json", "b.bin")


def write(folder, version, size=1000):
    with storage.new_folder(folder, marker="a.json", what="a thing") as draft:
        (draft / "b.bin").write_bytes(bytes([version]) * size)
        (draft / "a.json").write_text(str(version))


def version_of(folder):
    """The one version that all files are of, or an error."""
    version = int((folder / "a.json").read_text())
    data = (folder / "b.bin").read_bytes()
    assert set(data) == {version}
    assert len(data) >= 1000
    return version


@pytest.mark.parametrize("exchange", [True, False])
def test_a_new_one_takes_the_place_of_the_old(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(storage, "_renameat2", lambda: None)
    for version in (1, 2, 3):
        write(tmp_path / "x", version)
        assert version_of(tmp_path / "x") == version
        assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("where", ["write", "flush", "place", "rename"])
def test_an_error_anywhere_leaves_the_old(tmp_path, monkeypatch, where):
    write(tmp_path / "x", 1)

    def fail(*_):
        raise OSError(28, "No space left on device")

    if where == "write":
        monkeypatch.setattr("pathlib.Path.write_text", fail)
    elif where == "flush":
        monkeypatch.setattr(storage, "_flush", fail)
    elif where == "place":
        monkeypatch.setattr(storage, "put_in_place", fail)
    else:
        monkeypatch.setattr(storage, "_renameat2", lambda: None)
        renamed = []
        original = type(tmp_path).rename

        def second_fails(self, target):
            renamed.append(target)
            return fail() if len(renamed) == 2 else original(self, target)

        monkeypatch.setattr("pathlib.Path.rename", second_fails)
    with pytest.raises(OSError, match="space"):
        write(tmp_path / "x", 2)
    monkeypatch.undo()
    assert version_of(tmp_path / "x") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_something_else_is_never_replaced(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("dear")
    for name in ("x", "file"):
        with pytest.raises(UsageError, match="holds something else"):
            write(tmp_path / name, 1)
    assert (tmp_path / "x" / "letter.txt").read_text() == "dear"


def test_what_a_killed_writer_moved_aside_comes_back(tmp_path):
    write(tmp_path / "x", 1)
    (tmp_path / "x").rename(tmp_path / ".x.old")
    assert version_of(storage.settled(tmp_path / "x")) == 1
    draft = tmp_path / ".x.999999999-abc"
    draft.mkdir()
    write(tmp_path / "x", 2)
    assert version_of(tmp_path / "x") == 2
    assert not draft.exists()


LOOP = textwrap.dedent(
    """
    import sys, types
    sys.path.insert(0, sys.argv[2])
    package = types.ModuleType("rnnscope")  # without the rest of the package, which takes seconds
    package.__path__ = [sys.argv[2] + "/src/rnnscope"]
    sys.modules["rnnscope"] = package
    from pathlib import Path
    from tests.test_storage import write
    version = 0
    while True:
        version = version % 200 + 1
        write(Path(sys.argv[1]), version, size=200_000)
    """
)


def test_kills_at_any_moment(tmp_path):
    """A process that saves without end is killed again and again."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    target = tmp_path / "x"
    write(target, 1)
    for k in range(8):
        process = subprocess.Popen([sys.executable, "-c", LOOP, str(target), root])
        deadline = time.monotonic() + 60
        before = (target / "a.json").stat().st_mtime_ns
        while (target / "a.json").stat().st_mtime_ns == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.003 * k)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert 1 <= version_of(storage.settled(target)) <= 200
    write(target, 7)
    assert version_of(target) == 7
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_files_whole_or_not_at_all(tmp_path):
    path = tmp_path / "x.json"
    storage.new_file(path, "one")
    path.chmod(0o600)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    storage.new_file(link, "two")
    assert link.is_symlink()
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError):
        storage.new_file(path, "\ud800")
    assert path.read_text() == "two"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.json", "x.json"]


def test_the_working_directory_is_never_replaced(tmp_path, monkeypatch):
    """A process, or a shell, whose directory was swapped away stood in one that was gone."""
    (tmp_path / "x" / "y").mkdir(parents=True)
    for place, target in (("x/y", "."), ("x/y", "..")):
        monkeypatch.chdir(tmp_path / place)
        with pytest.raises(UsageError, match=r"at work in there|holds something else"):
            write(storage.as_path(target), 1)
    write(storage.as_path("z"), 1)
    assert version_of(tmp_path / "x" / "y" / "z") == 1


def test_drafts_of_killed_writers_go(tmp_path):
    left = tmp_path / ".a.json.999999999-xyz"
    left.write_text("half")
    storage.new_file(tmp_path / "a.json", "whole")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_directory_for_hours_of_work_is_tried_first(tmp_path):
    storage.require_writable(tmp_path / "new" / "deep")
    assert (tmp_path / "new" / "deep").is_dir()
    with pytest.raises(UsageError, match="can be written to"):
        storage.require_writable(storage.as_path("/dev/null/x"))


def test_another_writer_may_be_first(tmp_path, monkeypatch):
    """Bug: a folder that came to be between the look and the move was an error."""
    target = tmp_path / "result"
    rename = storage.Path.rename

    def late(self, place):
        if place == target and not target.exists():
            monkeypatch.setattr(storage.Path, "rename", rename)
            write(target, 1)
        return rename(self, place)

    monkeypatch.setattr(storage.Path, "rename", late)
    write(target, 2)
    assert version_of(target) == 2
