"""What Connect's server checks before an endpoint runs: media types, HEAD and OPTIONS, odd paths.

A route's own checks come after path and method matched, in the reference's order: body type (415), then what
the client accepts (406).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replicator.rest.errors import FILES_HINT, RestError, error_response

JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
"""What curl says a file is, unless it is told otherwise."""

SLASH: Final = "\x1f"
"""Stands for an encoded slash in paths; names cannot hold control characters."""

_MEDIA: Final = re.compile(r"\s*([^\s/;]+)/([^\s/;]+)\s*(;.*)?", re.DOTALL)
_BROKEN: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ORDER: Final = ("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH")


class ConnectRoute(APIRoute):
    """A route that takes and gives JSON only."""

    produces: tuple[str, ...] = (JSON,)
    limit: float = 90.0

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint, behind the checks."""
        endpoint = super().get_route_handler()

        async def checked(request: Request) -> Response:
            check_media(request, self.produces)
            work = asyncio.ensure_future(endpoint(_Request(request.scope, request.receive)))
            # The endpoint's thread goes on: what it waits for, a connector perhaps, may never end.
            done, _ = await asyncio.wait({work}, timeout=self.limit)
            if not done:
                raise RestError(500, f"Request timed out{_busy_with(request)}")
            return work.result()

        return checked


class _FirstValues(QueryParams):
    """Of a parameter that is given twice the first counts, as in the reference; lists have all."""

    def __getitem__(self, key: Any) -> str:
        return self.getlist(key)[0]

    def get(self, key: Any, default: Any = None) -> Any:
        found = self.getlist(key)
        return found[0] if found else default


class _Request(Request):
    @property
    def query_params(self) -> QueryParams:
        return _FirstValues(self.scope["query_string"])


def _busy_with(request: Request) -> str:
    """What the herder is at, where it tells."""
    doing = getattr(request.app.state, "doing", None)
    return f". {doing()}" if doing is not None else ""


class PageRoute(ConnectRoute):
    """A route that also gives a page."""

    produces = (JSON, "text/html")


class ProbeRoute(ConnectRoute):
    """A route that must not keep probes waiting."""

    limit = 10.0


class AnyRoute(ConnectRoute):
    """A route whose answers have a type of their own."""

    produces = ("*/*",)


def add(
    app: FastAPI,
    method: str,
    path: str,
    endpoint: Callable[..., Any],
    route: type[ConnectRoute] = ConnectRoute,
) -> None:
    """Register an endpoint behind the checks."""
    app.router.add_api_route(path, endpoint, methods=[method], route_class_override=route)


def check_media(request: Request, produces: Iterable[str]) -> None:
    """Refuse what is not JSON, and who does not want JSON.

    Raises:
        RestError: 400, 406 or 415.
    """
    given = request.headers.get("content-type")
    if given:
        found = _MEDIA.fullmatch(given)
        if found is None:
            raise RestError(400, "HTTP 400 Bad Request")
        kind = f"{found[1]}/{found[2]}".lower()
        if kind == _FORM:
            raise RestError(415, f"HTTP 415 Unsupported Media Type. {FILES_HINT}")
        if kind != JSON:
            raise RestError(415, "HTTP 415 Unsupported Media Type")
    elif _has_body(request):
        # Also keeps foreign web pages from posting: browsers ask first before they send JSON.
        raise RestError(415, "HTTP 415 Unsupported Media Type")
    accept = request.headers.get("accept")
    if accept and not any(accepts(accept, kind) for kind in produces):
        raise RestError(406, "HTTP 406 Not Acceptable")


def accepts(accept: str, kind: str) -> bool:
    """Whether an Accept header admits a media type."""
    if kind == "*/*":
        return True
    family = kind.partition("/")[0]
    for entry in accept.split(","):
        found = _MEDIA.fullmatch(entry)
        named = f"{found[1]}/{found[2]}".lower() if found else entry.partition(";")[0].strip()
        if named in (kind, f"{family}/*", "*/*", "*"):
            return True
    return False


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


class Paths:
    """ASGI middleware: names with `%2F` stay one segment, a slash at the end does not matter, broken paths are 400."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw:
            path = raw.partition(b"?")[0]
            problem = _problem(path)
            if problem:
                await error_response(400, problem)(scope, receive, send)
                return
            scope = {**scope, "path": decoded(path)}
        await self._app(scope, receive, send)


def decoded(path: bytes) -> str:
    """The path with escapes resolved segment by segment, and without matrix parameters."""
    segments = [unquote_to_bytes(s.partition(b";")[0]).decode("utf-8", "replace") for s in path.split(b"/")]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment.replace("/", SLASH))
    return "/".join(kept).rstrip("/") or "/"


def _problem(path: bytes) -> str | None:
    if _BROKEN.search(path):
        return "HTTP 400 Bad Request"
    return "Ambiguous URI empty segment" if b"//" in path else None


class Methods:
    """ASGI middleware: HEAD is GET without its body, OPTIONS tells a path's methods."""

    def __init__(self, app: ASGIApp, routes: list[Any]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if scope["type"] == "http" and method == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        elif scope["type"] == "http" and method == "OPTIONS" and (allowed := self._allowed(scope)):
            await _options(scope, allowed)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _allowed(self, scope: Scope) -> list[str]:
        found: set[str] = set()
        for route in self._routes:
            if isinstance(route, APIRoute) and route.matches(scope)[0] != Match.NONE:
                found |= route.methods or set()
        if "GET" in found:
            found.add("HEAD")
        return [m for m in _ORDER if m in found or (found and m == "OPTIONS")]


def _options(scope: Scope, allowed: list[str]) -> Response:
    accept = next((v.decode("latin-1") for n, v in scope["headers"] if n == b"accept"), "*/*")
    headers = {"Allow": ",".join(allowed)}
    if accepts(accept, "text/plain"):
        return Response(", ".join(allowed), media_type="text/plain", headers=headers)
    return Response(media_type=JSON, headers=headers)


def _without_body(send: Send) -> Send:
    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only
