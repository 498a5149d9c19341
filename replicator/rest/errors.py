"""Errors as Kafka Connect's REST answers them: `{"error_code": n, "message": text}`."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from replicator.api.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConfigError,
    ConnectError,
    IllegalStateError,
    NotFoundError,
)
from replicator.herder.base import RefusedError

log = logging.getLogger(__name__)

_STATUS: Final[tuple[tuple[type[ConnectError], int], ...]] = (
    (NotFoundError, 404),
    (AlreadyExistsError, 409),
    (IllegalStateError, 409),
    (BadRequestError, 400),
    (ConfigError, 400),
)

FILES_HINT: Final = (
    "A connector is sent as JSON with the header 'Content-Type: application/json'. A .properties file is sent by:"
    " replicator connectors apply FILE"
)
"""For those who send a file as it is."""


class RestError(Exception):
    """An answer of this status with this message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class JsonResponse(Response):
    """JSON made by orjson."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return orjson.dumps(content, default=_plain)


def _plain(value: Any) -> Any:
    """Read-only mappings and whatever else a task published."""
    try:
        return dict(value)
    except (TypeError, ValueError):
        return str(value)


def error_response(status: int, message: str) -> JsonResponse:
    """The body Connect answers errors with."""
    return JsonResponse({"error_code": status, "message": message}, status)


def status_of(error: ConnectError) -> int:
    """HTTP status for an error of the service."""
    if isinstance(error, RefusedError):
        return error.status
    return next((status for cls, status in _STATUS if isinstance(error, cls)), 500)


def install(app: FastAPI) -> None:
    """Register the handlers."""

    async def service_error(_: Request, error: Exception) -> Response:
        if not isinstance(error, ConnectError):
            raise error
        return error_response(status_of(error), str(error))

    async def rest_error(_: Request, error: Exception) -> Response:
        if not isinstance(error, RestError):
            raise error
        return error_response(error.status, error.message)

    async def framework_error(_: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        # An Allow header names the methods of one route only: left to OPTIONS, which knows them all.
        return error_response(error.status_code, _phrase(error.status_code))

    async def wrong_parameter(_: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        where = {str(e["loc"][0]) for e in error.errors()}
        status = 404 if "path" in where else 400
        return error_response(status, _phrase(status))

    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return error_response(500, str(error) or type(error).__name__)

    app.add_exception_handler(ConnectError, service_error)
    app.add_exception_handler(RestError, rest_error)
    app.add_exception_handler(HTTPException, framework_error)
    app.add_exception_handler(RequestValidationError, wrong_parameter)
    app.add_exception_handler(Exception, unexpected)


def _phrase(status: int) -> str:
    return f"HTTP {status} {HTTPStatus(status).phrase}"
