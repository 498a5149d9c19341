"""State of the registry: what the records of the topic `_schemas` add up to. No I/O.

Keys and values have Confluent's form, so a topic written by their registry is understood and the other
way round. Records are applied in the order of the topic; a lock guards against readers on other threads.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from replicator.api.errors import RetriableError
from replicator.converters.registry.model import SchemaText

log = logging.getLogger(__name__)

DEFAULT_LEVEL: Final = "BACKWARD"
DEFAULT_MODE: Final = "READWRITE"


class RacedError(RetriableError):
    """Another writer's record came first; on the state that has it the decision may be another one."""


class Journal(Protocol):
    """Where records are kept."""

    def refresh(self) -> None:
        """Apply everything that was written."""
        ...

    def append(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Write records in order; they are applied before this returns.

        Raises:
            RacedError: another writer was first.
        """
        ...

    def close(self) -> None:
        """Release what is open."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A version of a subject."""

    subject: str
    version: int
    id: int
    schema: SchemaText
    deleted: bool = False

    def key(self) -> bytes:
        """Key of its record."""
        return _dump({"keytype": "SCHEMA", "subject": self.subject, "version": self.version, "magic": 1})

    def value(self) -> bytes:
        """Value of its record."""
        body: dict[str, Any] = {"subject": self.subject, "version": self.version, "id": self.id}
        body |= {k: v for k, v in self.schema.to_json().items() if k != "schema"}
        return _dump(body | {"schema": self.schema.text, "deleted": self.deleted})


class State:
    """Subjects, ids and settings as of the last record."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._subjects: dict[str, dict[int, Entry]] = {}
        self._by_id: dict[int, SchemaText] = {}
        self._configs: dict[str | None, dict[str, Any]] = {}
        self._modes: dict[str | None, str] = {}
        self._highest = 0

    # Records

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Take one record; what cannot be understood is reported and passed over."""
        try:
            name = json.loads(key or b"null")
            body = json.loads(value) if value is not None else None
            with self.lock:
                self._apply(name, body)
        except (ValueError, KeyError, TypeError, AttributeError):
            log.error("Ignoring a record of the schema topic with the key %r", key)

    def _apply(self, name: dict[str, Any], body: dict[str, Any] | None) -> None:
        kind, subject = name["keytype"], name.get("subject")
        if kind == "SCHEMA":
            self._schema(str(subject), int(name["version"]), body)
        elif kind == "CONFIG":
            _set(self._configs, subject, body)
        elif kind == "MODE":
            _set(self._modes, subject, None if body is None else str(body["mode"]))
        elif kind == "DELETE_SUBJECT" and body is not None:
            for version, entry in self._subjects.get(str(subject), {}).items():
                if version <= int(body["version"]):
                    self._subjects[str(subject)][version] = replace(entry, deleted=True)
        elif kind == "NOOP" and body is not None:
            self._highest = max(self._highest, int(body.get("maxId", 0)))

    def _schema(self, subject: str, version: int, body: dict[str, Any] | None) -> None:
        if body is None:
            versions = self._subjects.get(subject, {})
            gone = versions.pop(version, None)
            if not versions:
                self._subjects.pop(subject, None)
            if gone is not None and not any(e.id == gone.id for e in self._entries()):
                self._by_id.pop(gone.id, None)
            return
        schema = SchemaText.of_json(body)
        entry = Entry(subject, version, int(body["id"]), schema, bool(body.get("deleted")))
        self._subjects.setdefault(subject, {})[version] = entry
        self._by_id[entry.id] = schema
        self._highest = max(self._highest, entry.id)

    def _entries(self) -> Iterable[Entry]:
        return (e for versions in self._subjects.values() for e in versions.values())

    # Questions; callers hold the lock when they ask more than once

    def next_id(self) -> int:
        """An id that was never used."""
        return self._highest + 1

    def highest(self) -> int:
        """The highest id so far."""
        return self._highest

    def subjects(self, *, deleted: bool = False, deleted_only: bool = False) -> list[str]:
        """Names of subjects, sorted."""
        with self.lock:
            return sorted(
                name
                for name, versions in self._subjects.items()
                if _listed(all(e.deleted for e in versions.values()), deleted, deleted_only)
            )

    def versions(self, subject: str, *, deleted: bool = False, deleted_only: bool = False) -> list[Entry]:
        """Versions of a subject, oldest first."""
        with self.lock:
            found = self._subjects.get(subject, {})
            return [found[v] for v in sorted(found) if _listed(found[v].deleted, deleted, deleted_only)]

    def all_entries(self, *, deleted: bool = False) -> list[Entry]:
        """All versions of all subjects."""
        with self.lock:
            return [e for name in sorted(self._subjects) for e in self.versions(name, deleted=deleted)]

    def by_id(self, number: int) -> SchemaText | None:
        """The schema under an id, whether deleted softly or not."""
        with self.lock:
            return self._by_id.get(number)

    def id_of(self, schema: SchemaText) -> int | None:
        """The id of a schema that is known under any subject."""
        with self.lock:
            return next((number for number, known in self._by_id.items() if known == schema), None)

    def referencing(self, subject: str, version: int) -> list[Entry]:
        """Versions that use a version."""
        return [
            e
            for e in self.all_entries()
            if any(r.subject == subject and r.version == version for r in e.schema.references)
        ]

    def config(self, subject: str | None) -> Mapping[str, Any] | None:
        """The settings of a subject, or the global ones; None when not set."""
        with self.lock:
            return self._configs.get(subject)

    def level(self, subject: str) -> str:
        """The compatibility level in force for a subject."""
        for scope in (subject, None):
            found = self.config(scope)
            if found is not None and found.get("compatibilityLevel"):
                return str(found["compatibilityLevel"])
        return DEFAULT_LEVEL

    def mode(self, subject: str | None) -> str | None:
        """The mode of a subject, or the global one; None when not set."""
        with self.lock:
            return self._modes.get(subject)


def setting_key(kind: str, subject: str | None) -> bytes:
    """Key of a CONFIG or MODE record."""
    return _dump({"keytype": kind, "subject": subject, "magic": 0})


def delete_subject(subject: str, version: int) -> tuple[bytes, bytes]:
    """The record that deletes all versions up to one softly."""
    key = _dump({"keytype": "DELETE_SUBJECT", "subject": subject, "magic": 0})
    return key, _dump({"subject": subject, "version": version})


def highest_id(number: int) -> tuple[bytes, bytes]:
    """The record that keeps ids from being used again when their schemas are gone."""
    return _dump({"keytype": "NOOP", "magic": 0}), _dump({"maxId": number})


def dump(body: Mapping[str, Any]) -> bytes:
    """JSON of a record's value."""
    return _dump(body)


def _listed(is_deleted: bool, deleted: bool, deleted_only: bool) -> bool:
    return is_deleted if deleted_only else deleted or not is_deleted


def _set(into: dict[str | None, Any], subject: str | None, value: Any) -> None:
    if value is None:
        into.pop(subject, None)
    else:
        into[subject] = value


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
