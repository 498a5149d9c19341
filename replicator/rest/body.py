"""Request bodies and names in paths, read the way Connect reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import unquote

from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from replicator.api.errors import BadRequestError
from replicator.rest.errors import RestError

_SLASH: Final = "\x1f"
"""Stands for an encoded slash in paths; names cannot hold control characters."""


class PathNames:
    """ASGI middleware: names with `%2F` stay one segment, and a slash at the end does not matter."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw:
            segments = raw.decode("latin-1").partition("?")[0].split("/")
            path = "/".join(unquote(s).replace("/", _SLASH) for s in segments)
            scope = {**scope, "path": path.rstrip("/") or "/"}
        await self._app(scope, receive, send)


async def _name(name: str) -> str:
    return name.replace(_SLASH, "/")


Name = Annotated[str, Depends(_name)]
"""The path parameter `name`."""


async def _text(request: Request) -> bytes:
    data = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if data and kind != "application/json":
        # Also keeps foreign web pages from posting: browsers ask first before they send JSON.
        raise RestError(415, "HTTP 415 Unsupported Media Type")
    return data


Body = Annotated[bytes, Depends(_text)]
"""The bytes of a JSON body."""


def parse_object(data: bytes, *, scalars_as_text: bool) -> dict[str, Any]:
    """A JSON object; with `scalars_as_text` numbers keep the very digits that were sent.

    Raises:
        RestError: no JSON, or no object (500, as Connect does).
        BadRequestError: nothing was sent.
    """
    try:
        if scalars_as_text:
            found = json.loads(data, parse_int=str, parse_float=str, parse_constant=str) if data else None
        else:
            found = json.loads(data) if data else None
    except (ValueError, RecursionError) as error:
        raise RestError(500, f"Cannot parse the request's JSON: {error}") from None
    if found is None:
        raise BadRequestError("The request needs a JSON object as its body.")
    if not isinstance(found, dict):
        raise RestError(
            500, f"Cannot deserialize value of type `java.util.LinkedHashMap` from {_token(found)} value"
        )
    return found


def config_of(found: Any) -> dict[str, str | None]:
    """A connector configuration: scalars become text, null stays.

    Raises:
        RestError: a value is an object or array.
    """
    if not isinstance(found, Mapping):
        raise RestError(
            500, f"Cannot deserialize value of type `java.util.LinkedHashMap` from {_token(found)} value"
        )
    for value in found.values():
        if isinstance(value, (dict, list)):
            raise RestError(
                500, f"Cannot deserialize value of type `java.lang.String` from {_token(value)} value"
            )
    return {name: _scalar(value) for name, value in found.items()}


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _token(value: Any) -> str:
    return {dict: "Object", list: "Array", bool: "Boolean"}.get(type(value), "String")
