"""The registry's answers about schemas by their ids. Any thread."""

from __future__ import annotations

from typing import Any

from replicator.converters.registry import formats
from replicator.converters.registry.model import AVRO, JSON, PROTOBUF, SchemaText
from replicator.converters.registry.server import refusals
from replicator.converters.registry.server.requests import (
    NAME,
    Query,
    RawText,
    Route,
    entry_json,
    page,
    prefix_of,
    yes,
)
from replicator.converters.registry.server.schemas import Schemas
from replicator.converters.registry.server.state import Entry, State


class SchemaRoutes:
    """Requests below /schemas."""

    def __init__(self, known: State, schemas: Schemas) -> None:
        self._state = known
        self._of_schemas = schemas

    def table(self) -> list[Route]:
        """What is answered here."""
        return [
            ("GET", "/schemas", self._schemas),
            ("GET", "/schemas/types", lambda *_: [JSON, PROTOBUF, AVRO]),
            ("GET", f"/schemas/ids/{NAME}", self._by_id),
            ("GET", f"/schemas/ids/{NAME}/schema", self._text_by_id),
            ("GET", f"/schemas/ids/{NAME}/subjects", self._subjects_by_id),
            ("GET", f"/schemas/ids/{NAME}/versions", self._versions_by_id),
        ]

    def _schemas(self, parts: list[str], query: Query, body: Any) -> Any:
        prefix = prefix_of(query)
        found = [
            e for e in self._state.all_entries(deleted=yes(query, "deleted")) if e.subject.startswith(prefix)
        ]
        if yes(query, "latestOnly"):
            found = list({e.subject: e for e in found}.values())
        return page([entry_json(e) for e in found], query)

    def _by_id(self, parts: list[str], query: Query, body: Any) -> Any:
        schema = self._known(parts[0])
        found = schema.to_json() | formatted(self._of_schemas, schema, query)
        return found | ({"maxId": self._state.highest()} if yes(query, "fetchMaxId") else {})

    def _text_by_id(self, parts: list[str], query: Query, body: Any) -> Any:
        return RawText(self._known(parts[0]).text)

    def _subjects_by_id(self, parts: list[str], query: Query, body: Any) -> Any:
        self._known(parts[0])
        return sorted({e.subject for e in self._of_id(parts[0], query)})

    def _versions_by_id(self, parts: list[str], query: Query, body: Any) -> Any:
        self._known(parts[0])
        return [{"subject": e.subject, "version": e.version} for e in self._of_id(parts[0], query)]

    def _of_id(self, number: str, query: Query) -> list[Entry]:
        found = self._state.all_entries(deleted=yes(query, "deleted"))
        return [e for e in found if e.id == int(number)]

    def _known(self, number: str) -> SchemaText:
        if not number.isdigit():
            raise refusals.RefusedError(404, "HTTP 404 Not Found")
        schema = self._state.by_id(int(number))
        if schema is None:
            raise refusals.no_schema(int(number))
        return schema


def formatted(schemas: Schemas, schema: SchemaText, query: Query) -> dict[str, Any]:
    """The schema's text in the form that `format` asks for, if it is another."""
    if query.get("format") == "serialized" and schema.type == PROTOBUF:
        return {"schema": formats.serialized(schema, schemas.used(schema))}
    return {}
