"""ASGI middleware against foreign web pages that use a visitor's browser to reach this API.

Programs are not affected: they send no Origin, and a Host that is an address or `localhost`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from replicator.rest.errors import error_response

_READING: Final = frozenset(("GET", "HEAD", "OPTIONS"))


class Guard:
    """Refuses writes from other origins and, on a loopback listener, names that are not local."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str] = (), local_only: bool = False) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await error_response(403, problem)(scope, receive, send)

    def _problem(self, scope: Scope) -> str | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if self._local_only and not is_local(host):
            return f"This listener serves this machine only, not the name {host}."
        if origin is None or scope["method"] in _READING or "*" in self._origins or origin in self._origins:
            return None
        return None if urlsplit(origin).netloc == host else f"Requests from {origin} are not allowed."


def is_local(host: str) -> bool:
    """Whether a Host header names an address or this machine, as no rebound foreign name does."""
    name = urlsplit(f"//{host}").hostname or ""
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
