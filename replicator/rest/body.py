"""Request bodies and names in paths, as endpoints declare them."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from replicator.api.errors import BadRequestError
from replicator.rest.binding import any_map, read_body, text_map
from replicator.rest.routing import SLASH

_T = TypeVar("_T")


async def _name(name: str) -> str:
    return name.replace(SLASH, "/")


Name = Annotated[str, Depends(_name)]
"""The path parameter `name`."""


async def _bytes(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_bytes)]
"""The bytes of a body."""


def config_body(data: bytes) -> dict[str, str | None]:
    """A connector configuration: scalars become text, null stays.

    Raises:
        RestError: no JSON, or no object of scalars (500, as Connect does).
        BadRequestError: nothing was sent.
    """
    found: dict[str, str | None] | None = read_body(data, text_map)
    return given(found)


def parse_object(data: bytes, *, scalars_as_text: bool) -> dict[str, Any]:
    """Any JSON object; with `scalars_as_text` numbers keep the very digits that were sent.

    Raises:
        RestError: no JSON, or no object.
        BadRequestError: nothing was sent.
    """
    found: dict[str, Any] | None = read_body(data, text_map if scalars_as_text else any_map)
    return given(found)


def given(found: _T | None) -> _T:
    """What was sent.

    Raises:
        BadRequestError: nothing was, or null.
    """
    if found is None:
        raise BadRequestError("The request needs a JSON object as its body.")
    return found
