"""Requests that another worker must answer are passed on: follower to leader, leader to the owner of a task.

The herder raises NotLeaderError with the address; the whole request is sent there from the thread pool, and its answer
given back as it is. The query parameter `forward` counts the hops as in Connect: two at most.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replicator.herder.base import NotLeaderError
from replicator.herder.sessions import ALGORITHM_HEADER, SIGNATURE_HEADER
from replicator.rest.errors import error_response

_TIMEOUT: Final = 90.0
_PASSED: Final = (
    "authorization",
    "content-type",
    "accept",
    SIGNATURE_HEADER.lower(),
    ALGORITHM_HEADER.lower(),
)
_RETURNED: Final = ("content-type", "www-authenticate")
_BODY: Final = "replicator.body"
_CONFLICT: Final = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
_NO_LEADER: Final = (
    "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."
)


class KeptBodies:
    """ASGI middleware: keeps the body of a request, so that it can be sent on after an endpoint has read it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kept = bytearray()

        async def keeping() -> Message:
            message = await receive()
            kept.extend(message.get("body", b""))
            return message

        await self._app({**scope, _BODY: kept}, keeping, send)


def install(app: FastAPI, herder: Any) -> None:
    """Register the handler and the middleware."""

    async def other_worker(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotLeaderError)
        if error.forward_url is None:
            return error_response(409, _NO_LEADER)
        hops = dict(parse_qsl(request.url.query, keep_blank_values=True)).get("forward")
        if hops is not None and hops.lower() == "false":
            return error_response(409, _CONFLICT)
        headers = {n: v for n, v in request.headers.items() if n in _PASSED}
        tls: ssl.SSLContext | None = getattr(herder, "peer_tls", None)
        return await run_in_threadpool(
            _forwarded, request, error.forward_url, headers, "true" if hops is None else "false", tls
        )

    app.add_exception_handler(NotLeaderError, other_worker)
    app.add_middleware(KeptBodies)


def _forwarded(
    request: Request, worker: str, headers: Mapping[str, str], forward: str, tls: ssl.SSLContext | None
) -> Response:
    base = urlsplit(worker)
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query = [(n, v) for n, v in parse_qsl(request.url.query, keep_blank_values=True) if n != "forward"]
    target = f"{raw.decode('latin-1').partition('?')[0]}?{urlencode([*query, ('forward', forward)])}"
    host, port = base.hostname or "", base.port
    if base.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=_TIMEOUT, context=tls
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        connection.request(
            request.method, target, bytes(request.scope.get(_BODY, b"")) or None, dict(headers)
        )
        answer = connection.getresponse()
        data = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return error_response(
            500, f"IO Error trying to forward REST request: {type(error).__name__}: {error}"
        )
    finally:
        connection.close()
    response = Response(data, answer.status)
    for name in _RETURNED:
        value = answer.getheader(name)
        if value is not None:
            response.headers[name] = value
    location = answer.getheader("location")
    if location is not None:
        response.headers["location"] = str(request.base_url).rstrip("/") + urlsplit(location).path
    return response
