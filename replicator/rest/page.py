"""ASGI middleware: the control centre at `/` for browsers, and its files below `/ui`.

The files hold no data and need no account: the page asks for one itself. What they may do is said in a policy for
the browser: scripts and styles of this server only, and no text is ever parsed as HTML (Trusted Types).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_FOLDER: Final = Path(__file__).parent / "ui"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Page:
    """Answers for the page's files; everything else goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = _file(scope) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        if file is None:
            await self._app(scope, receive, send)
        else:
            await _response(scope, file)(scope, receive, send)


def _file(scope: Scope) -> Path | None:
    """The file that is asked for, of those there are."""
    path: str = scope["path"]
    if path == "/":
        return _FOLDER / "index.html" if prefers_html(_header(scope, b"accept") or "*/*") else None
    if not path.startswith("/ui/"):
        return None
    return next((f for f in _FOLDER.iterdir() if f.name == path[4:] and f.suffix in _TYPES), None)


def _response(scope: Scope, file: Path) -> Response:
    body = file.read_bytes()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag} | ({"Vary": "Accept"} if scope["path"] == "/" else {})
    if tag in (_header(scope, b"if-none-match") or ""):
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(len(body))
    if scope["method"] == "HEAD":
        body = b""
    return Response(body, headers=headers, media_type=_TYPES[file.suffix])


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def prefers_html(accept: str) -> bool:
    """Whether an Accept header ranks text/html above application/json."""
    weights = {"text/html": 0.0, "application/json": 0.0}
    wildcard = 0.0
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = _weight(parameters)
        if kind in weights:
            weights[kind] = weight
        elif kind in ("*/*", "application/*"):
            wildcard = max(wildcard, weight)
    return weights["text/html"] > max(weights["application/json"], wildcard)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
