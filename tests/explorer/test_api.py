"""The server: what it answers, and what it refuses."""

from __future__ import annotations

import json
import socket
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

import rnnscope as rs
from rnnscope.explorer.guard import Limits, is_loopback, may_be_named
from rnnscope.explorer.serving import FILES, build_app, check_host, listen

pytest.importorskip("starlette", reason="needs the extra: pip install 'rnnscope[serve]'")
pytest.importorskip("httpx", reason="the test client needs httpx")

with warnings.catch_warnings():
    # Starlette 1.10 asks for httpx2 and takes httpx all the same.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

TOKEN = "0123456789abcdef"
HERE = "http://127.0.0.1:8765"
SCRIPT = "<script>alert(1)</script>"


def client_of(*exhibits, headers=None, address=HERE, **options):
    app = build_app(exhibits, **options)
    return TestClient(app, base_url=address, headers=headers, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(exhibit, other):
    return client_of(exhibit, other)


def refused(response, status, part):
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"kind", "rule", "expected", "got", "fix"}
    assert part in " ".join(error.values())
    return error


# What it answers -----------------------------------------------------------------------------


def test_the_page_and_its_files(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    # Nothing on it runs or is drawn but what is a file of its own.
    assert "<script>" not in page.text
    assert "style=" not in page.text
    assert "onclick" not in page.text
    assert "http" not in page.text
    for name, kind in {**FILES, "style.css": "text/css"}.items():
        found = client.get(f"/{name}")
        assert found.status_code == 200
        assert kind in found.headers["content-type"]
        assert "innerHTML" not in found.text
        assert "eval(" not in found.text
    assert "--class-0:" in client.get("/style.css").text


def test_every_answer_says_what_a_page_may_do(client):
    answers = [client.get("/"), client.get("/nothing"), client.get("/api/run")]
    answers.append(client.post("/api/sentence", content=b"{"))
    for found in answers:
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"
        assert found.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in found.headers


def test_each_question_is_answered(client):
    about = client.get("/api/run").json()["networks"]
    assert [one["architecture"] for one in about] == ["lstm(8)", "gru(8)"]
    assert about[0]["plane"]["points"]["xy"]
    for network in (0, 1):
        asked = {"text": "a good b", "network": network}
        found = client.post("/api/sentence", json=asked)
        assert found.status_code == 200
        assert len(found.json()["probabilities"]) == 4
        method = {"method": "integrated gradients"}
        assert len(client.post("/api/score", json=asked | method).json()["values"]) == 3
        word = client.post("/api/word", json=asked | {"position": 1, "replacement": "bad"}).json()
        assert word["typed"]["words"] == ["bad"]
        assert client.post("/api/search", json=asked).json()["of"] == 300
        point = client.post("/api/point", json={"index": 0, "network": network}).json()
        assert point["eigenvalues"]


def test_words_that_are_markup_come_back_as_text(client):
    headers = {"content-type": "application/json"}
    body = json.dumps({"text": f"a {SCRIPT} \x00 \u202e \ud800"})
    found = client.post("/api/sentence", content=body, headers=headers)
    assert found.status_code == 200
    assert "application/json" in found.headers["content-type"]
    assert "<" in [word["text"] for word in found.json()["words"]]


# What it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[" * 20_000, "JSON"),
        (b"null", "object"),
        (b'["text"]', "object"),
        (b"{}", "no text"),
        (b'{"text": 3}', "string"),
        (b'{"text": null}', "string"),
        (b'{"text": ["a"]}', "string"),
        (b'{"text": "a", "file": "/etc/passwd"}', "unknown 'file'"),
        (b'{"text": "a", "network": 2}', "0 to 1"),
        (b'{"text": "a", "network": -1}', "0 to 1"),
        (b'{"text": "a", "network": true}', "whole number"),
        (b'{"text": "a", "network": 1e999}', "whole number"),
        (b'{"text": "a", "network": NaN}', "JSON"),
    ],
)
def test_a_question_that_is_none(client, body, part):
    headers = {"content-type": "application/json"}
    refused(client.post("/api/sentence", content=body, headers=headers), 400, part)


@pytest.mark.parametrize(
    ("kind", "asked", "status", "part"),
    [
        ("sentence", {"text": ""}, 422, "has words"),
        ("sentence", {"text": "a " * 201}, 422, "1 to 200 words"),
        ("search", {"text": "\u200b"}, 422, "has words"),
        ("word", {"text": "a b", "position": 2}, 400, "0 to 1"),
        ("word", {"text": "a b", "position": 0, "replacement": ""}, 422, "has words"),
        ("word", {"text": "a b", "position": 10**30}, 400, "whole number"),
        ("score", {"text": "a b", "method": "../../beta"}, 400, "integrated gradients"),
        ("point", {"index": -1}, 400, "place in the list"),
        ("point", {"index": 10**9}, 400, "place in the list"),
    ],
)
def test_a_question_that_has_no_answer(client, kind, asked, status, part):
    refused(client.post(f"/api/{kind}", json=asked), status, part)


def test_a_text_of_a_megabyte(client):
    headers = {"content-type": "application/json"}
    body = json.dumps({"text": "a " * 500_000}).encode()
    refused(client.post("/api/sentence", content=body, headers=headers), 413, "65,536 bytes")
    parts = (body[k : k + 10_000] for k in range(0, len(body), 10_000))
    refused(client.post("/api/sentence", content=parts, headers=headers), 413, "65,536 bytes")
    # A body that has no place is no way round.
    refused(client.request("GET", "/api/run", content=body), 413, "65,536 bytes")


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/..%2f..%2fpyproject.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/explorer.css/../serving.py",
        "/serving.py",
        "/index.html",
        "/model/model.json",
        "/api/../style.css/x",
        "/api/%2e%2e",
        "/explorer.js%00",
    ],
)
def test_no_path_leads_to_a_file(client, path):
    found = client.get(path)
    assert found.status_code in (404, 405)
    assert "error" in found.json()


def test_other_methods(client):
    refused(client.get("/api/sentence"), 405, "another way")
    refused(client.post("/"), 405, "another way")
    refused(client.delete("/api/run"), 405, "another way")
    refused(client.post("/api/unknown", json={}), 404, "nothing here")
    form = {"content-type": "text/plain"}
    refused(client.post("/api/sentence", content=b"{}", headers=form), 415, "application/json")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "10.0.0.1", "", "[::1"]
)
def test_a_name_that_was_made_to_point_here(client, host):
    refused(client.get("/", headers={"host": host}), 403, "its own address")
    refused(client.get("/api/run", headers={"host": host}), 403, "its own address")


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:1", "LOCALHOST", "[::1]:8765"])
def test_its_own_names(client, host):
    assert client.get("/api/run", headers={"host": host}).status_code == 200


def test_another_page_may_not_ask(client):
    asked = {"text": "a"}
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
    ):
        refused(client.post("/api/sentence", json=asked, headers=headers), 403, "Another page")
    own = {"origin": HERE, "sec-fetch-site": "same-origin"}
    assert client.post("/api/sentence", json=asked, headers=own).status_code == 200


def test_a_token_is_asked_for(exhibit):
    address = "http://192.168.1.5:8765"
    with_token = client_of(exhibit, host="0.0.0.0", token=TOKEN, address=address)
    # The page has nothing of the run on it; what is asked for has.
    assert with_token.get("/").status_code == 200
    for given in (None, TOKEN, "Bearer", f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer \xff"):
        headers = {} if given is None else {"authorization": given.encode("latin-1")}
        answer = with_token.get("/api/run", headers=headers)
        refused(answer, 401, "token")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in answer.text
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert with_token.get("/api/run", headers=headers).status_code == 200
    evil = headers | {"host": "evil.example"}
    refused(with_token.get("/api/run", headers=evil), 403, "its own address")


def test_other_machines_only_with_a_token(exhibit):
    for host in ("0.0.0.0", "::", "192.168.1.5", "myhost", ""):
        with pytest.raises(rs.UsageError, match="only with a token"):
            build_app([exhibit], host=host)
        check_host(host, TOKEN)
    for host in ("127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"):
        check_host(host, None)
    for token in ("", "short", "x" * 15, "with space inside it", "ümläute" * 4):
        with pytest.raises(rs.UsageError, match="cannot be guessed"):
            check_host("127.0.0.1", token)


def test_names_under_which_it_is_asked_for():
    assert is_loopback("127.0.0.1")
    assert not is_loopback("127.0.0.1.evil.example")
    assert may_be_named("myhost:80", "myhost", loose=True)
    assert not may_be_named("10.0.0.1", "127.0.0.1", loose=False)
    assert not may_be_named("user@127.0.0.1@evil.example", "127.0.0.1", loose=False)


def test_questions_come_no_faster_than_they_can_be_answered(exhibit):
    now = [0.0]
    app = build_app([exhibit], limits=Limits(a_second=2, burst=3))
    app.clock = lambda: now[0]
    slow = TestClient(app, base_url=HERE)
    assert [slow.get("/api/run").status_code for _ in range(3)] == [200] * 3
    answer = slow.get("/api/run")
    refused(answer, 429, "2 a second")
    assert answer.headers["retry-after"] == "1"
    assert slow.get("/").status_code == 200
    now[0] += 0.5
    assert slow.get("/api/run").status_code == 200
    assert slow.get("/api/run").status_code == 429


def test_only_so_many_addresses_are_remembered(exhibit):
    app = build_app([exhibit], limits=Limits(addresses=3))
    for k in range(9):
        there = TestClient(app, base_url=HERE, client=(f"10.0.0.{k}", 1))
        assert there.get("/api/run").status_code == 200
    assert len(app._rates) == 3


def test_too_many_at_once_are_told_so(exhibit):
    app = build_app([exhibit], limits=Limits(waiting=0))
    refused(TestClient(app, base_url=HERE).get("/api/run"), 503, "under way")
    assert app._under_way == 0


def test_one_or_two_networks(exhibit):
    for many in ((), (exhibit,) * 3):
        with pytest.raises(rs.UsageError, match="two are compared"):
            build_app(many)


def test_a_hundred_at_once(client):
    texts = [" ".join("abcdefgh"[k % 8] for k in range(n % 9 + 1)) + " good" for n in range(100)]

    def ask(text):
        return client.post("/api/sentence", json={"text": text})

    with ThreadPoolExecutor(100) as many:
        answers = list(many.map(ask, texts))
    assert {one.status_code for one in answers} == {200}
    for text, one in zip(texts, answers, strict=True):
        assert [word["text"] for word in one.json()["words"]] == text.split()
    alone = ask(texts[7]).json()
    assert answers[7].json() | {"milliseconds": 0} == alone | {"milliseconds": 0}


def test_a_fault_of_ours_is_an_answer_too(exhibit, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("a secret of the machine")

    monkeypatch.setattr("rnnscope.explorer.serving.answer", fail)
    answer = client_of(exhibit).post("/api/sentence", json={"text": "a"})
    refused(answer, 500, "could not answer")
    assert "secret" not in answer.text
    assert "secret" in caplog.text


def test_answers_do_not_wait_for_an_acknowledgement():
    """Their end once came 40 ms after their beginning, wherever questions followed closely."""
    with listen("127.0.0.1", 0) as server, socket.create_connection(server.getsockname()):
        taken, _ = server.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
