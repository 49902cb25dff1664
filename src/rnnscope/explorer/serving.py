"""The explorer as a web server: a page, and questions under /api."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import socket
import webbrowser
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from rnnscope.errors import RnnscopeError, UsageError
from rnnscope.explorer.asking import QUESTIONS, answer
from rnnscope.explorer.describing import describe
from rnnscope.explorer.exhibit import Exhibit
from rnnscope.explorer.guard import Guard, Limits, is_loopback, refusal
from rnnscope.explorer.sentence import look_at
from rnnscope.report.palette import declarations

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

WORKERS = 2
"""Questions computed at once; the others wait."""

LEAST_TOKEN = 16
"""Characters of a token."""

FILES = {
    "explorer.js": "text/javascript",
    "dom.js": "text/javascript",
    "staves.js": "text/javascript",
    "plane.js": "text/javascript",
    "changes.js": "text/javascript",
    "browsing.js": "text/javascript",
}

_log = logging.getLogger(__name__)


def build_app(
    exhibits: Sequence[Exhibit],
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    limits: Limits | None = None,
) -> Guard:
    """The ASGI application.

    Files are read from the package once, here; nothing that is asked for names a file.

    Args:
        exhibits: one network, or two to compare.
        host: the name or address that it will listen on.
        token: what a question must bring; needed where another machine can ask.
        limits: how much is taken on.

    Raises:
        UsageError: Starlette is not installed, no network, more than two, or a host that other
            machines reach without a token.
    """
    check_host(host, token)
    if not 1 <= len(exhibits) <= 2:
        raise UsageError(
            "One network is explored, or two are compared.",
            expected="1 or 2",
            got=f"{len(exhibits)}",
        )
    check_installed()
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import Response
    from starlette.routing import Route

    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="explorer")
    networks = [describe(exhibit) for exhibit in exhibits]
    about = json.dumps({"networks": networks}).encode("ascii")

    def sent(body: bytes, kind: str = "application/json", status: int = 200) -> Response:
        return Response(body, status_code=status, media_type=kind)

    async def run(request: Request) -> Response:
        return sent(about)

    async def ask(request: Request) -> Response:
        kind = QUESTIONS.get(request.path_params["kind"])
        if kind is None:
            raise HTTPException(404)
        body = await request.body()
        try:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(workers, answer, kind, body, exhibits)
        except RnnscopeError as error:
            return sent(refusal(error), status=400 if isinstance(error, UsageError) else 422)
        return sent(json.dumps(found, allow_nan=False).encode("ascii"))

    async def refused(request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        rule = {404: "There is nothing here.", 405: "This is asked in another way."}
        if status == 500:
            _log.exception("a question could not be answered", exc_info=error)
        said = UsageError(rule.get(status, "The explorer could not answer; its log says why."))
        return sent(refusal(said), status=status)

    def page(name: str, kind: str) -> Any:
        body = _file(name)

        async def respond(request: Request) -> Response:
            return sent(body, kind)

        return respond

    async def style(request: Request) -> Response:
        return sent(_style(), "text/css")

    return Guard(
        app=Starlette(
            routes=[
                Route("/", page("index.html", "text/html")),
                Route("/style.css", style),
                *(Route(f"/{name}", page(name, kind)) for name, kind in FILES.items()),
                Route("/api/run", run),
                Route("/api/{kind:str}", ask, methods=["POST"]),
            ],
            exception_handlers={HTTPException: refused, Exception: refused},
        ),
        host=host,
        token=token,
        limits=limits or Limits(),
    )


def serve(
    exhibits: Sequence[Exhibit],
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    token: str | None = None,
    open_browser: bool = False,
    say: Any = lambda what: None,
) -> None:
    """Serve the explorer until it is stopped.

    Args:
        exhibits: one network, or two to compare.
        host: what to listen on; other machines only with a token.
        port: the port; 0 for any that is free.
        token: what a question must bring.
        open_browser: open the page.
        say: told the address.

    Raises:
        UsageError: as for ``build_app``; or a port that cannot be listened on.
    """
    app = build_app(exhibits, host=host, token=token)
    import uvicorn

    # The first question would pay for what is computed once.
    for exhibit in exhibits:
        words = exhibit.material.judged[0]
        look_at(exhibit, " ".join(words[:20]))
    config = uvicorn.Config(
        app,
        # Its own would close every handler of the process' logging, whoever set it up.
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=15,
        lifespan="off",
        ws="none",
    )
    host = host.strip("[]")
    listening = listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    # Behind the # it stays in the browser: no server, and no log, is told it.
    url = f"http://{shown}:{listening.getsockname()[1]}/" + (f"#token={token}" if token else "")
    say(url)
    if open_browser:
        webbrowser.open(url)
    # Being interrupted is how it is meant to end.
    with listening, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections from here on, so that the address can be told."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        server = socket.create_server((str(address[0]), int(address[1])), family=family)
    except (OSError, OverflowError) as error:
        raise UsageError(
            "The host and port must be ones that can be listened on.",
            expected="an address of this machine, and a free port, 0 to 65535",
            got=f"{host}, {port}: {error}",
            fix="give another --port, or 0 for any",
        ) from error
    # Connections inherit it. Without, the end of an answer waits up to 40 ms for the browser's
    # word that it has the beginning, where one question follows soon on another.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def check_host(host: str, token: str | None) -> None:
    """Refuse to be reached from other machines by whoever likes.

    Raises:
        UsageError: another host than loopback without a token, or a token that can be guessed.
    """
    if token is None and not is_loopback(host.strip("[]")):
        raise UsageError(
            "Other machines may ask only with a token.",
            expected="127.0.0.1, ::1 or localhost, or --token",
            got=f"--host {host}",
            fix="give a --token of your own, such as `openssl rand -hex 16` prints",
        )
    if token is not None and (
        len(token) < LEAST_TOKEN or not token.isascii() or not token.isalnum()
    ):
        raise UsageError(
            "A token cannot be guessed, and needs no escaping in an address.",
            expected=f"{LEAST_TOKEN} letters and digits or more",
            got=f"{len(token)} characters",
        )


def check_installed() -> None:
    """Say so where the web server is not there.

    Raises:
        UsageError: names the extra to install.
    """
    for name in ("starlette", "uvicorn"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UsageError(
                "The explorer needs a web server, which is an extra of rnnscope.",
                expected="starlette and uvicorn",
                got=str(error),
                fix="pip install 'rnnscope[serve]'",
            ) from error


def _file(name: str) -> bytes:
    return resources.files("rnnscope.explorer").joinpath("page", name).read_bytes()


@cache
def _style() -> bytes:
    """The report's palette and style, and what the explorer adds."""
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{declarations(dark=True)}}}}}"
    report = resources.files("rnnscope.report").joinpath("style.css").read_text("utf-8")
    parts = [f":root{{{declarations(dark=False)}}}", dark, report]
    return "\n".join([*parts, _file("explorer.css").decode("utf-8")]).encode("utf-8")
