"""What requests to the registry say, and how its answers look. Pure, any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from replicator.converters.registry.model import AVRO, SchemaText, references_of
from replicator.converters.registry.server import refusals
from replicator.converters.registry.server.state import Entry

Query = Mapping[str, str]
Handler = Callable[[list[str], Query, Any], Any]
Route = tuple[str, str, Handler]
"""Method, pattern of the path, and what answers: with the pattern's groups, the query and the body."""

NAME: Final = "([^/]+)"
_HIGHEST_VERSION: Final = (1 << 31) - 1


class RawText(str):
    """An answer that is a schema's text itself, not JSON of it."""

    __slots__ = ()


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as it is answered."""
    found: dict[str, Any] = {"subject": entry.subject, "version": entry.version, "id": entry.id}
    return found | entry.schema.to_json()


def schema_of(body: Any) -> SchemaText:
    """The schema in a body.

    Raises:
        RefusedError: there is none.
    """
    if not isinstance(body, dict) or not isinstance(body.get("schema"), str):
        raise refusals.invalid_schema("Empty schema")
    try:
        return SchemaText(str(body.get("schemaType") or AVRO), body["schema"], references_of(body))
    except (KeyError, TypeError, ValueError) as error:
        raise refusals.invalid_schema(f"Invalid references: {error}") from error


def version_number(text: str) -> int | None:
    """A version in a path; None for the latest.

    Raises:
        RefusedError: it is none.
    """
    if text in ("latest", "-1"):
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _HIGHEST_VERSION:
        raise refusals.invalid_version(text)
    return int(text)


def number_of(value: Any, default: int) -> int:
    """A positive number, or the default."""
    return value if isinstance(value, int) and value > 0 else default


def yes(query: Query, name: str) -> bool:
    """Whether a query says `name=true`."""
    return query.get(name, "").lower() == "true"


def page(found: list[Any], query: Query) -> list[Any]:
    """The part of a list that `offset` and `limit` ask for."""
    start, limit = query.get("offset", "0"), query.get("limit", "-1")
    first = int(start) if start.isdigit() else 0
    return found[first : first + int(limit)] if limit.isdigit() else found[first:]


def prefix_of(query: Query) -> str:
    """What the subjects asked for begin with; contexts, which we have one of, may be named in front."""
    return query.get("subjectPrefix", "").removeprefix(":*:").removeprefix(":.:")
