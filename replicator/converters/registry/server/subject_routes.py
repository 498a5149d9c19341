"""The registry's answers about subjects, their versions and compatibility. Any thread."""

from __future__ import annotations

from typing import Any

from replicator.converters.registry.server import refusals
from replicator.converters.registry.server.requests import (
    NAME,
    Query,
    RawText,
    Route,
    entry_json,
    number_of,
    page,
    prefix_of,
    schema_of,
    version_number,
    yes,
)
from replicator.converters.registry.server.schema_routes import formatted
from replicator.converters.registry.server.schemas import Schemas
from replicator.converters.registry.server.state import Entry, State
from replicator.converters.registry.server.subjects import Subjects


class SubjectRoutes:
    """Requests below /subjects and /compatibility."""

    def __init__(self, known: State, subjects: Subjects, schemas: Schemas) -> None:
        self._state = known
        self._of_subjects = subjects
        self._schemas = schemas

    def table(self) -> list[Route]:
        """What is answered here."""
        versions = f"/subjects/{NAME}/versions"
        return [
            ("GET", "/subjects", self._subjects),
            ("POST", f"/subjects/{NAME}", self._lookup),
            ("DELETE", f"/subjects/{NAME}", self._delete_subject),
            ("GET", versions, self._versions),
            ("POST", versions, self._register),
            ("GET", f"{versions}/{NAME}", self._version),
            ("DELETE", f"{versions}/{NAME}", self._delete_version),
            ("GET", f"{versions}/{NAME}/schema", self._version_text),
            ("GET", f"{versions}/{NAME}/referencedby", self._referenced_by),
            ("POST", f"/compatibility/subjects/{NAME}/versions/{NAME}", self._compatible_with),
            ("POST", f"/compatibility/subjects/{NAME}/versions", self._compatible),
        ]

    def _subjects(self, parts: list[str], query: Query, body: Any) -> Any:
        found = self._state.subjects(deleted=yes(query, "deleted"), deleted_only=yes(query, "deletedOnly"))
        prefix = prefix_of(query)
        return page([s for s in found if s.startswith(prefix)], query)

    def _versions(self, parts: list[str], query: Query, body: Any) -> Any:
        deleted, only = yes(query, "deleted"), yes(query, "deletedOnly")
        if not self._state.versions(parts[0], deleted=deleted or only):
            raise refusals.no_subject(parts[0])
        found = self._state.versions(parts[0], deleted=deleted, deleted_only=only)
        return page([e.version for e in found], query)

    def _register(self, parts: list[str], query: Query, body: Any) -> Any:
        asked = schema_of(body)
        entry = self._of_subjects.register(
            parts[0],
            asked,
            normalize=yes(query, "normalize"),
            number=number_of(body.get("id"), -1),
            version=number_of(body.get("version"), -1),
        )
        return {"id": entry.id}

    def _lookup(self, parts: list[str], query: Query, body: Any) -> Any:
        return entry_json(
            self._of_subjects.lookup(
                parts[0], schema_of(body), normalize=yes(query, "normalize"), deleted=yes(query, "deleted")
            )
        )

    def _version(self, parts: list[str], query: Query, body: Any) -> Any:
        entry = self._entry(parts, deleted=yes(query, "deleted"))
        return entry_json(entry) | formatted(self._schemas, entry.schema, query)

    def _version_text(self, parts: list[str], query: Query, body: Any) -> Any:
        return RawText(self._entry(parts, deleted=yes(query, "deleted")).schema.text)

    def _referenced_by(self, parts: list[str], query: Query, body: Any) -> Any:
        entry = self._entry(parts, deleted=True)
        return sorted({e.id for e in self._state.referencing(entry.subject, entry.version)})

    def _delete_subject(self, parts: list[str], query: Query, body: Any) -> Any:
        return self._of_subjects.delete_subject(parts[0], permanent=yes(query, "permanent"))

    def _delete_version(self, parts: list[str], query: Query, body: Any) -> Any:
        entry = self._entry(parts, deleted=True, latest_deleted=False)
        return self._of_subjects.delete_version(entry, permanent=yes(query, "permanent"))

    def _entry(self, parts: list[str], *, deleted: bool, latest_deleted: bool | None = None) -> Entry:
        subject, version = parts[0], version_number(parts[1])
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

    # Compatibility

    def _compatible_with(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0]
        asked = schema_of(body)
        entry = self._entry(parts, deleted=False)
        level = self._state.level(subject).removesuffix("_TRANSITIVE")
        return self._verdict(self._schemas.check(subject, asked, [entry], level), query)

    def _compatible(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0]
        asked = schema_of(body)
        earlier, level = self._state.versions(subject), self._state.level(subject)
        return self._verdict(self._schemas.check(subject, asked, earlier, level), query)

    def _verdict(self, reasons: list[str], query: Query) -> dict[str, Any]:
        verdict: dict[str, Any] = {"is_compatible": not reasons}
        return verdict | ({"messages": reasons} if yes(query, "verbose") else {})
