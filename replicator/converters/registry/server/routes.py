"""The registry's interface: a method and a path to an answer. Used by REST and by converters alike.

Any thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from replicator.api.errors import ConnectError
from replicator.converters.registry import formats
from replicator.converters.registry.model import AVRO, JSON, PROTOBUF, Answer, SchemaText, references_of
from replicator.converters.registry.server import refusals, state
from replicator.converters.registry.server.service import Service
from replicator.converters.registry.server.state import Entry, Journal, State

Query = Mapping[str, str]
Handler = Callable[[list[str], Query, Any], Any]

_HIGHEST_VERSION: Final = (1 << 31) - 1
_RACES: Final = 10
"""How often a request is decided again because another writer was first."""


class Registry:
    """See the module; it is also the transport of converters in the same process."""

    def __init__(self, known: State, journal: Journal) -> None:
        self._service = Service(known, journal)
        self._state = known
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(pattern), handler) for method, pattern, handler in self._table()
        ]

    def call(self, method: str, path: str, query: Query, body: Any = None) -> Answer:
        """Answer one request."""
        try:
            handler, parts = self._route(method, path)
            return Answer(200, self._decide(handler, [unquote(p) for p in parts], query, body))
        except refusals.RefusedError as refused:
            return Answer(refused.status, refused.to_json())
        except ConnectError as error:
            return Answer(500, {"error_code": 50001, "message": f"Error in the backend datastore: {error}"})

    def _decide(
        self, handler: Handler, parts: list[str], query: Query, body: Any, races: int = _RACES
    ) -> Any:
        try:
            self._service.refresh()
            return handler(parts, query, body)
        except state.RacedError:
            if races == 0:
                raise
            return self._decide(handler, parts, query, body, races - 1)

    def close(self) -> None:
        """Release the journal."""
        self._service.close()

    def _route(self, method: str, path: str) -> tuple[Handler, list[str]]:
        known = False
        for own_method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is not None:
                known = True
                if own_method == method:
                    return handler, list(match.groups())
        if known:
            raise refusals.RefusedError(405, "HTTP 405 Method Not Allowed")
        raise refusals.RefusedError(404, "HTTP 404 Not Found")

    def _table(self) -> list[tuple[str, str, Handler]]:
        name = "([^/]+)"
        versions = f"/subjects/{name}/versions"
        return [
            ("GET", "/subjects", self._subjects),
            ("POST", f"/subjects/{name}", self._lookup),
            ("DELETE", f"/subjects/{name}", self._delete_subject),
            ("GET", versions, self._versions),
            ("POST", versions, self._register),
            ("GET", f"{versions}/{name}", self._version),
            ("DELETE", f"{versions}/{name}", self._delete_version),
            ("GET", f"{versions}/{name}/schema", self._version_text),
            ("GET", f"{versions}/{name}/referencedby", self._referenced_by),
            ("GET", "/schemas", self._schemas),
            ("GET", "/schemas/types", lambda *_: [JSON, PROTOBUF, AVRO]),
            ("GET", "/schemas/ids/([^/]+)", self._by_id),
            ("GET", "/schemas/ids/([^/]+)/schema", self._text_by_id),
            ("GET", "/schemas/ids/([^/]+)/subjects", self._subjects_by_id),
            ("GET", "/schemas/ids/([^/]+)/versions", self._versions_by_id),
            ("POST", f"/compatibility/subjects/{name}/versions/{name}", self._compatible_with),
            ("POST", f"/compatibility/subjects/{name}/versions", self._compatible),
            ("GET", "/config", self._config),
            ("PUT", "/config", self._set_config),
            ("DELETE", "/config", self._delete_config),
            ("GET", f"/config/{name}", self._config),
            ("PUT", f"/config/{name}", self._set_config),
            ("DELETE", f"/config/{name}", self._delete_config),
            ("GET", "/mode", self._mode),
            ("PUT", "/mode", self._set_mode),
            ("GET", f"/mode/{name}", self._mode),
            ("PUT", f"/mode/{name}", self._set_mode),
            ("DELETE", f"/mode/{name}", self._delete_mode),
            ("GET", "/contexts", lambda *_: ["."]),
            ("GET", "/v1/metadata/id", lambda *_: {"scope": {"path": [], "clusters": {}}}),
        ]

    # Subjects and versions

    def _subjects(self, parts: list[str], query: Query, body: Any) -> Any:
        found = self._state.subjects(deleted=_yes(query, "deleted"), deleted_only=_yes(query, "deletedOnly"))
        prefix = query.get("subjectPrefix", "").removeprefix(":*:").removeprefix(":.:")
        return _page([s for s in found if s.startswith(prefix)], query)

    def _versions(self, parts: list[str], query: Query, body: Any) -> Any:
        deleted, only = _yes(query, "deleted"), _yes(query, "deletedOnly")
        if not self._state.versions(parts[0], deleted=deleted or only):
            raise refusals.no_subject(parts[0])
        found = self._state.versions(parts[0], deleted=deleted, deleted_only=only)
        return _page([e.version for e in found], query)

    def _register(self, parts: list[str], query: Query, body: Any) -> Any:
        asked = _schema(body)
        entry = self._service.register(
            parts[0],
            asked,
            normalize=_yes(query, "normalize"),
            number=_number(body.get("id"), -1),
            version=_number(body.get("version"), -1),
        )
        return {"id": entry.id}

    def _lookup(self, parts: list[str], query: Query, body: Any) -> Any:
        return _entry_json(
            self._service.lookup(
                parts[0], _schema(body), normalize=_yes(query, "normalize"), deleted=_yes(query, "deleted")
            )
        )

    def _version(self, parts: list[str], query: Query, body: Any) -> Any:
        entry = self._entry(parts, deleted=_yes(query, "deleted"))
        return _entry_json(entry) | self._formatted(entry.schema, query)

    def _version_text(self, parts: list[str], query: Query, body: Any) -> Any:
        return RawText(self._entry(parts, deleted=_yes(query, "deleted")).schema.text)

    def _referenced_by(self, parts: list[str], query: Query, body: Any) -> Any:
        entry = self._entry(parts, deleted=True)
        return sorted({e.id for e in self._state.referencing(entry.subject, entry.version)})

    def _delete_subject(self, parts: list[str], query: Query, body: Any) -> Any:
        return self._service.delete_subject(parts[0], permanent=_yes(query, "permanent"))

    def _delete_version(self, parts: list[str], query: Query, body: Any) -> Any:
        entry = self._entry(parts, deleted=True, latest_deleted=False)
        return self._service.delete_version(entry, permanent=_yes(query, "permanent"))

    def _entry(self, parts: list[str], *, deleted: bool, latest_deleted: bool | None = None) -> Entry:
        subject, version = parts[0], _version_number(parts[1])
        with_deleted = deleted if version is not None or latest_deleted is None else latest_deleted
        found = self._state.versions(subject, deleted=with_deleted)
        if not found:
            raise refusals.no_subject(subject)
        if version is None:
            return found[-1]
        entry = next((e for e in found if e.version == version), None)
        if entry is None:
            raise refusals.no_version(version)
        return entry

    # Schemas

    def _schemas(self, parts: list[str], query: Query, body: Any) -> Any:
        prefix = query.get("subjectPrefix", "").removeprefix(":*:").removeprefix(":.:")
        found = [
            e for e in self._state.all_entries(deleted=_yes(query, "deleted")) if e.subject.startswith(prefix)
        ]
        if _yes(query, "latestOnly"):
            found = list({e.subject: e for e in found}.values())
        return _page([_entry_json(e) for e in found], query)

    def _by_id(self, parts: list[str], query: Query, body: Any) -> Any:
        schema = self._known(parts[0])
        found = schema.to_json() | self._formatted(schema, query)
        return found | ({"maxId": self._state.highest()} if _yes(query, "fetchMaxId") else {})

    def _text_by_id(self, parts: list[str], query: Query, body: Any) -> Any:
        return RawText(self._known(parts[0]).text)

    def _subjects_by_id(self, parts: list[str], query: Query, body: Any) -> Any:
        self._known(parts[0])
        return sorted({e.subject for e in self._of_id(parts[0], query)})

    def _versions_by_id(self, parts: list[str], query: Query, body: Any) -> Any:
        self._known(parts[0])
        return [{"subject": e.subject, "version": e.version} for e in self._of_id(parts[0], query)]

    def _of_id(self, number: str, query: Query) -> list[Entry]:
        found = self._state.all_entries(deleted=_yes(query, "deleted"))
        return [e for e in found if e.id == int(number)]

    def _known(self, number: str) -> SchemaText:
        if not number.isdigit():
            raise refusals.RefusedError(404, "HTTP 404 Not Found")
        schema = self._state.by_id(int(number))
        if schema is None:
            raise refusals.no_schema(int(number))
        return schema

    def _formatted(self, schema: SchemaText, query: Query) -> dict[str, Any]:
        if query.get("format") == "serialized" and schema.type == PROTOBUF:
            return {"schema": formats.serialized(schema, self._service.used(schema))}
        return {}

    # Compatibility

    def _compatible_with(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0]
        asked = _schema(body)
        entry = self._entry(parts, deleted=False)
        level = self._state.level(subject).removesuffix("_TRANSITIVE")
        return self._verdict(self._service.check(subject, asked, [entry], level), query)

    def _compatible(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0]
        asked = _schema(body)
        earlier, level = self._state.versions(subject), self._state.level(subject)
        return self._verdict(self._service.check(subject, asked, earlier, level), query)

    def _verdict(self, reasons: list[str], query: Query) -> dict[str, Any]:
        verdict: dict[str, Any] = {"is_compatible": not reasons}
        return verdict | ({"messages": reasons} if _yes(query, "verbose") else {})

    # Settings

    def _config(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0] if parts else None
        found = self._state.config(subject)
        if subject is not None and not (found or {}).get("compatibilityLevel"):
            if not _yes(query, "defaultToGlobal"):
                raise refusals.RefusedError(
                    40408, f"Subject '{subject}' does not have subject-level compatibility configured"
                )
            found = self._state.config(None)
        return {"compatibilityLevel": state.DEFAULT_LEVEL} | dict(found or {})

    def _set_config(self, parts: list[str], query: Query, body: Any) -> Any:
        if not isinstance(body, dict):
            raise refusals.invalid_level()
        return self._service.set_config(parts[0] if parts else None, body)

    def _delete_config(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0] if parts else None
        before = self._state.config(subject)
        if subject is not None and before is None:
            raise refusals.no_subject(subject)
        self._service.delete_setting("CONFIG", subject)
        return {"compatibilityLevel": (before or {}).get("compatibilityLevel", state.DEFAULT_LEVEL)}

    def _mode(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0] if parts else None
        found = self._state.mode(subject)
        if found is None and subject is not None:
            if not _yes(query, "defaultToGlobal"):
                raise refusals.RefusedError(
                    40409, f"Subject '{subject}' does not have subject-level mode configured"
                )
            found = self._state.mode(None)
        return {"mode": found or state.DEFAULT_MODE}

    def _set_mode(self, parts: list[str], query: Query, body: Any) -> Any:
        asked = body.get("mode") if isinstance(body, dict) else None
        mode = self._service.set_mode(parts[0] if parts else None, str(asked), force=_yes(query, "force"))
        return {"mode": mode}

    def _delete_mode(self, parts: list[str], query: Query, body: Any) -> Any:
        before = self._state.mode(parts[0])
        if before is None:
            raise refusals.no_subject(parts[0])
        self._service.delete_setting("MODE", parts[0])
        return {"mode": before}


class RawText(str):
    """An answer that is a schema's text itself, not JSON of it."""

    __slots__ = ()


def _entry_json(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {"subject": entry.subject, "version": entry.version, "id": entry.id}
    return found | entry.schema.to_json()


def _schema(body: Any) -> SchemaText:
    if not isinstance(body, dict) or not isinstance(body.get("schema"), str):
        raise refusals.invalid_schema("Empty schema")
    try:
        return SchemaText(str(body.get("schemaType") or AVRO), body["schema"], references_of(body))
    except (KeyError, TypeError, ValueError) as error:
        raise refusals.invalid_schema(f"Invalid references: {error}") from error


def _version_number(text: str) -> int | None:
    if text in ("latest", "-1"):
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _HIGHEST_VERSION:
        raise refusals.invalid_version(text)
    return int(text)


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default


def _yes(query: Query, name: str) -> bool:
    return query.get(name, "").lower() == "true"


def _page(found: list[Any], query: Query) -> list[Any]:
    start, limit = query.get("offset", "0"), query.get("limit", "-1")
    first = int(start) if start.isdigit() else 0
    return found[first : first + int(limit)] if limit.isdigit() else found[first:]


class _Memory:
    """A journal that keeps nothing."""

    def __init__(self, known: State) -> None:
        self._state = known

    def refresh(self) -> None:
        """Nobody else writes."""

    def append(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        for key, value in records:
            self._state.apply(key, value)

    def close(self) -> None:
        """Nothing is open."""


def in_memory() -> Registry:
    """A registry that lives as long as the process."""
    known = State()
    return Registry(known, _Memory(known))
