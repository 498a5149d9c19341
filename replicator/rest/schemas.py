"""The schema registry's endpoints, as Confluent's registry has them. On FastAPI's thread pool.

They sit at the root of the API, so `schema.registry.url` of any client is the worker's own URL.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, FastAPI, Request, Response

from replicator.converters.registry import local
from replicator.converters.registry.model import Answer
from replicator.converters.registry.server.requests import RawText

_CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_ROOTS: Final = ("/subjects", "/schemas", "/compatibility", "/config", "/mode", "/contexts", "/v1/metadata")
_SLASH: Final = "\x1f"


async def _body(request: Request) -> bytes:
    return await request.body()


class SchemaRoutes:
    """Handlers of the registry."""

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        for root in _ROOTS:
            for path in (root, root + "/{rest:path}"):
                app.add_api_route(
                    path, self.answer, methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False
                )

    def answer(self, request: Request, data: Annotated[bytes, Depends(_body)]) -> Response:
        """Any request to the registry."""
        registry = local.current()
        if registry is None:
            return _response(
                Answer(404, {"error_code": 404, "message": "This worker has no schema registry."})
            )
        try:
            body = _parse(request, data)
        except ValueError as error:
            return _response(Answer(422, {"error_code": 422, "message": f"Cannot read the request: {error}"}))
        if isinstance(body, Answer):
            return _response(body)
        raw = request.scope.get("raw_path") or request.url.path.encode()
        path = raw.decode("latin-1").partition("?")[0].rstrip("/")
        return _response(registry.call(request.method, path, dict(request.query_params), body))


def _parse(request: Request, data: bytes) -> Any:
    if not data:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/octet-stream") and not kind.startswith(
        "application/vnd.schemaregistry"
    ):
        # Also keeps foreign web pages from posting: browsers ask first before they send such types.
        return Answer(415, {"error_code": 415, "message": "HTTP 415 Unsupported Media Type"})
    return orjson.loads(data)


def _response(answer: Answer) -> Response:
    body = answer.body
    text = (
        str(body)
        if isinstance(body, RawText)
        else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    )
    return Response(text.encode(), answer.status, media_type=_CONTENT_TYPE)
