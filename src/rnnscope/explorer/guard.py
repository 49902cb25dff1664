"""What stands before the explorer: who may ask, how much, how often, and what a page may do."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import math
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rnnscope.errors import RnnscopeError, UsageError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/api/"

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}

DRAINED = 2**22
"""Bytes of a body that is too large which are read, and dropped, so that its sender hears why."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much the explorer takes on.

    Args:
        body: bytes of a question.
        a_second: questions a second from one address, over time.
        burst: questions from one address at once.
        waiting: questions under way, from all.
        patience: seconds in which a question must have arrived.
        addresses: whose rates are remembered.
    """

    body: int = 2**16
    a_second: float = 50.0
    burst: int = 500
    waiting: int = 400
    patience: float = 10.0
    addresses: int = 4096


class Refused(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, error: RnnscopeError, **headers: str) -> None:
        self.status, self.error, self.headers = status, error, headers


def refusal(error: RnnscopeError) -> bytes:
    """An error as the JSON that every refusal has."""
    parts = {name: getattr(error, name) for name in ("rule", "expected", "got", "fix")}
    # A lone surrogate is no text that can be sent.
    text = json.dumps({"error": {"kind": type(error).__name__, **parts}})
    return text.encode("ascii")


@dataclass(kw_only=True)
class Guard:
    """An ASGI application that lets through what may pass to another.

    Args:
        app: the other.
        host: the name or address that is listened on.
        token: what a question must bring; None where only this machine can ask.
        limits: how much is taken on.
        clock: the time in seconds.
    """

    app: App
    host: str
    token: str | None
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = time.monotonic
    _rates: dict[str, tuple[float, float]] = field(default_factory=dict)
    _under_way: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        asks = scope["path"].startswith(API)
        self._under_way += asks
        try:
            body = await self._admit(scope, receive, asks)
        except Refused as refused:
            await self._refuse(refused, self._guarded(send))
        else:
            await self.app(scope, _replayed(body, receive), self._guarded(send))
        finally:
            self._under_way -= asks

    async def _admit(self, scope: Scope, receive: Receive, asks: bool) -> bytes:
        headers = _headers(scope)
        host = headers.get("host", "")
        if not may_be_named(host, self.host, loose=self.token is not None):
            raise Refused(
                403,
                UsageError(
                    "The explorer answers to its own address only.",
                    expected=self.host,
                    got=host[:80],
                    fix="open the address that rnnscope serve printed",
                ),
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit_host(origin) != host:
            raise Refused(403, UsageError("Another page may not ask.", got=origin[:80]))
        if asks and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused(403, UsageError("Another page may not ask."))
        if asks:
            self._count(str((scope.get("client") or ("",))[0]))
            self._check_token(headers.get("authorization", ""))
            if scope["method"] == "POST" and not headers.get("content-type", "").lower().startswith(
                "application/json"
            ):
                raise Refused(415, UsageError("A question is sent as application/json."))
        return await self._body(headers, receive)

    def _check_token(self, given: str) -> None:
        if self.token is None:
            return
        # Bytes of any length, compared in the same time wherever they differ.
        wanted = f"Bearer {self.token}".encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted):
            raise Refused(
                401,
                UsageError(
                    "A question brings the token.",
                    expected="Authorization: Bearer TOKEN",
                    got="another" if given else "none",
                    fix="open the address that rnnscope serve printed",
                ),
                **{"www-authenticate": "Bearer"},
            )

    def _count(self, address: str) -> None:
        """A bucket of questions for each address, that fills again with time."""
        limits, now = self.limits, self.clock()
        if self._under_way > limits.waiting:
            raise Refused(
                503,
                UsageError("Too many questions are under way.", expected=f"{limits.waiting}"),
                **{"retry-after": "1"},
            )
        left, then = self._rates.pop(address, (float(limits.burst), now))
        left = min(float(limits.burst), left + (now - then) * limits.a_second)
        self._rates[address] = (left - 1 if left >= 1 else left, now)
        while len(self._rates) > limits.addresses:
            del self._rates[next(iter(self._rates))]
        if left < 1:
            raise Refused(
                429,
                UsageError(
                    "Questions come no faster than they can be answered.",
                    expected=f"{limits.a_second:g} a second, {limits.burst} at once",
                    fix="wait a second",
                ),
                **{"retry-after": str(math.ceil((1 - left) / limits.a_second))},
            )

    async def _body(self, headers: dict[str, str], receive: Receive) -> bytes:
        del headers  # what a sender says of its length is not relied on
        parts: list[bytes] = []
        size, more = 0, True
        deadline = asyncio.get_running_loop().time() + self.limits.patience
        try:
            async with asyncio.timeout_at(deadline):
                while more and size <= DRAINED:
                    message = await receive()
                    if message["type"] != "http.request":
                        break
                    part, more = message.get("body", b""), message.get("more_body", False)
                    size += len(part)
                    if size <= self.limits.body:
                        parts.append(part)
        except TimeoutError:
            raise Refused(408, UsageError("A question arrives within seconds.")) from None
        if size > self.limits.body:
            raise Refused(
                413,
                UsageError(
                    "A question is short.",
                    expected=f"{self.limits.body:,} bytes at most",
                    got=f"{size:,} bytes" if not more else f"more than {DRAINED:,} bytes",
                    fix="explore a part of the text",
                ),
            )
        return b"".join(parts)

    async def _refuse(self, refused: Refused, send: Send) -> None:
        named = {"content-type": "application/json", **refused.headers}
        headers = [(k.encode(), v.encode("latin-1")) for k, v in named.items()]
        await send({"type": "http.response.start", "status": refused.status, "headers": headers})
        await send({"type": "http.response.body", "body": refusal(refused.error)})

    def _guarded(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        return guarded


def may_be_named(given: str, host: str, *, loose: bool) -> bool:
    """Whether a Host header is one under which the explorer is asked for.

    A page of another site whose name was made to point here (DNS rebinding) sends its own name.

    Args:
        given: the header.
        host: what is listened on.
        loose: where a token is asked for: also any plain address, which no rebinding can send.
    """
    name = urlsplit_host(f"//{given}", port=False)
    if name in ("localhost", host.lower().strip("[]")) or (is_loopback(name) and is_loopback(host)):
        return True
    return loose and _address(name) is not None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host.lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def urlsplit_host(url: str, *, port: bool = True) -> str:
    """The host of a URL, with its port where it has one; "" where there is none."""
    try:
        parts = urlsplit(url)
        return parts.netloc.lower() if port else (parts.hostname or "")
    except ValueError:
        return ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _headers(scope: Scope) -> dict[str, str]:
    """The first of each name."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return found


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
