"""``rnnscope serve``: a real process, and what is said where it cannot start."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import numpy as np
import pytest

from rnnscope.cli import main
from rnnscope.synthetic import lexicon_network

WEIGHTS = {"good": 2.0, "bad": -2.0, "the": 0.0, "film": 0.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("serve")
    lexicon_network(WEIGHTS).save(path / "model")
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list(WEIGHTS), size=5)) for _ in range(40)]
    (path / "texts.csv").write_text("text\n" + "\n".join(texts) + "\n")
    return path


def call(capsys, *arguments):
    try:
        code = main(["serve", *map(str, arguments)])
    except SystemExit as stop:
        code = stop.code
    return code, capsys.readouterr().err


def test_it_serves_until_it_is_stopped(folder):
    pytest.importorskip("uvicorn", reason="needs the extra: pip install 'rnnscope[serve]'")
    command = [sys.executable, "-m", "rnnscope.cli", "serve", str(folder), str(folder)]
    command += ["--data", str(folder / "texts.csv"), "--port", "0"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("explorer: http://127.0.0.1:")
            url = line.split()[1]
            request = urllib.request.Request(
                f"{url}api/sentence",
                data=json.dumps({"text": "the good film", "network": 1}).encode(),
                headers={"content-type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert json.loads(answer.read())["predicted"] == 1
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
    assert "Traceback" not in err
    assert process.returncode == 0
    assert out == ""


def test_what_it_refuses_before_any_work(folder, capsys):
    for arguments, part in (
        ((folder, "--host", "0.0.0.0"), "only with a token"),
        ((folder, "--token", "short"), "cannot be guessed"),
        ((folder, "--port", "99999"), "0 to 65535"),
        ((folder, folder, folder), "two are compared"),
        ((folder / "nothing",), "saved model"),
        ((folder,), "names no text"),
    ):
        code, err = call(capsys, *arguments)
        assert code == 2
        assert part in err
        assert "Traceback" not in err


def test_without_the_extra_it_says_what_to_install(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    code, err = call(capsys, folder)
    assert code == 2
    assert "pip install 'rnnscope[serve]'" in err


class Closed(logging.NullHandler):
    """A handler that says whether somebody closed it."""

    closed = False

    def close(self):
        self.closed = True
        super().close()


def test_a_port_that_is_taken(folder, capsys):
    """Nor are handlers of logging closed, as they were: absl's closes the stream it writes to."""
    pytest.importorskip("uvicorn", reason="needs the extra: pip install 'rnnscope[serve]'")
    handler = Closed()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, err = call(capsys, folder, "--data", folder / "texts.csv", "--port", port)
    assert code == 2
    assert "a free port" in err
    assert not handler.closed
