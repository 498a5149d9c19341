"""ASGI middleware: who calls, and whether the role allows it (basic authentication and bearer tokens).

`read` may look, `operate` may also pause, resume, stop and restart, `admin` may do everything. Requests between workers
carry a signature of their own, which the herder checks.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from replicator.rest.accounts import ROLES, AccountSource
from replicator.rest.errors import error_response

ROLE: Final = "replicator.role"
"""Where a request's scope holds the caller's role, for endpoints that tell it."""

_READING: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_READING_WRITES: Final = re.compile(
    r"/connector-plugins/[^/]+/config/validate|/subjects/[^/]+|/compatibility/.+"
)
_OPERATING: Final = re.compile(
    r"/connectors/[^/]+/(pause|resume|stop|restart|topics/reset|tasks/[^/]+/restart)"
    r"|/replicator/connectors/[^/]+/signal|/replicator/dlq/[^/]+/replay"
)
_INTERNAL: Final = (
    ("POST", re.compile(r"/connectors/[^/]+/tasks")),
    ("PUT", re.compile(r"/connectors/[^/]+/fence")),
    ("PUT", re.compile(r"/replicator/departures")),
)
_REFUSED: Final = "User cannot access the resource."


class Authentication:
    """Lets through whose role suffices; 401 for who is not known, 403 for who may not."""

    def __init__(self, app: ASGIApp, accounts: AccountSource, public: Collection[str] = ()) -> None:
        self._app = app
        self._accounts = accounts
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._open(scope):
            await self._app(scope, receive, send)
            return
        given = next((v.decode("latin-1") for n, v in scope["headers"] if n == b"authorization"), "")
        # Passwords may be stored as slow hashes, which must not hold up other requests.
        role = await run_in_threadpool(self._role, given)
        needed = needed_role(scope["method"], scope["path"])
        if role is None:
            response = error_response(401, _REFUSED)
            for challenge in ('Basic realm="Replicator", charset="UTF-8"', 'Bearer realm="Replicator"'):
                response.headers.append("WWW-Authenticate", challenge)
            await response(scope, receive, send)
        elif ROLES.index(role) < ROLES.index(needed):
            await error_response(403, f"Role {role} may not do this; it needs role {needed}.")(
                scope, receive, send
            )
        else:
            await self._app({**scope, ROLE: role}, receive, send)

    def _open(self, scope: Scope) -> bool:
        method, path = scope["method"], scope["path"]
        if path in self._public and method in _READING:
            return True
        return any(method == m and pattern.fullmatch(path) for m, pattern in _INTERNAL)

    def _role(self, authorization: str) -> str | None:
        scheme, _, rest = authorization.strip().partition(" ")
        accounts = self._accounts.now()
        if scheme.lower() == "bearer":
            return accounts.role_of_token(rest.strip())
        if scheme.lower() != "basic":
            return None
        try:
            name, colon, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        return accounts.role_of_user(name, password) if colon else None


def needed_role(method: str, path: str) -> str:
    """The least role for a request."""
    if method in _READING or (
        method in ("PUT", "POST") and _READING_WRITES.fullmatch(path) and not _registers(path)
    ):
        return "read"
    return "operate" if _OPERATING.fullmatch(path) else "admin"


def _registers(path: str) -> bool:
    """Whether a POST to the schema registry stores something."""
    return path.startswith("/subjects/") and path.count("/") > 2
