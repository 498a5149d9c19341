"""Subjects and their versions: registering with compatibility checks, looking up, deleting. Any thread."""

from __future__ import annotations

from replicator.converters.registry import formats
from replicator.converters.registry.model import SchemaText
from replicator.converters.registry.server import refusals, state
from replicator.converters.registry.server.schemas import Schemas
from replicator.converters.registry.server.settings import Settings
from replicator.converters.registry.server.state import Entry, Journal
from replicator.converters.registry.server.writer import Writer


class Subjects:
    """See the module."""

    def __init__(self, writer: Writer, schemas: Schemas, settings: Settings) -> None:
        self._writer = writer
        self._state = writer.state
        self._schemas = schemas
        self._settings = settings

    def register(self, subject: str, asked: SchemaText, *, normalize: bool, number: int = -1,
                 version: int = -1) -> Entry:  # fmt: skip
        """The entry of a schema, made if there is none.

        Raises:
            RefusedError: invalid, incompatible, or not permitted.
        """
        with self._writer.alone() as journal:
            schema, parsed = self._schemas.understood(asked, normalize or self._settings.normalises(subject))
            found = self._find(subject, schema, parsed)
            mode = self._settings.mode_of(subject)
            if found is not None and number in (-1, found.id):
                return found
            self._may_write(subject, mode, number)
            if mode != "IMPORT":
                reasons = self._schemas.check(
                    subject, schema, self._state.versions(subject), self._state.level(subject)
                )
                if reasons:
                    raise refusals.RefusedError(
                        409,
                        f'Schema being registered is incompatible with an earlier schema for subject "{subject}", '
                        f"details: [{', '.join(reasons)}]",
                    )
            entry = self._new_entry(subject, schema, number, version)
            journal.append([(entry.key(), entry.value())])
            return entry

    def _new_entry(self, subject: str, schema: SchemaText, number: int, version: int) -> Entry:
        if number < 0:
            known = self._state.id_of(schema)
            number = self._state.next_id() if known is None else known
        else:
            other = self._state.by_id(number)
            if other is not None and other != schema:
                raise refusals.not_permitted(f"Overwrite new schema with id {number} is not permitted.")
        if version < 0:
            version = max((e.version for e in self._state.versions(subject, deleted=True)), default=0) + 1
        return Entry(subject, version, number, schema)

    def _may_write(self, subject: str, mode: str, number: int) -> None:
        if mode in ("READONLY", "READONLY_OVERRIDE"):
            raise refusals.not_permitted(f"Subject {subject} is in read-only mode")
        if number >= 0 and mode != "IMPORT":
            raise refusals.not_permitted(f"Subject {subject} is not in import mode")
        if number < 0 and mode == "IMPORT":
            raise refusals.not_permitted(f"Subject {subject} is in import mode")

    def lookup(self, subject: str, asked: SchemaText, *, normalize: bool, deleted: bool) -> Entry:
        """The entry of a schema under a subject.

        Raises:
            RefusedError: there is none.
        """
        if not self._state.versions(subject, deleted=deleted):
            raise refusals.no_subject(subject)
        schema, parsed = self._schemas.understood(asked, normalize or self._settings.normalises(subject))
        found = self._find(subject, schema, parsed, deleted=deleted)
        if found is None:
            raise refusals.no_schema()
        return found

    def _find(
        self, subject: str, schema: SchemaText, parsed: formats.Parsed, *, deleted: bool = False
    ) -> Entry | None:
        candidates = [
            e
            for e in reversed(self._state.versions(subject, deleted=deleted))
            if e.schema.type == schema.type
        ]
        for entry in candidates:
            if entry.schema == schema:
                return entry
        # Texts from elsewhere may be kept in another form.
        for entry in candidates:
            if entry.schema.references == schema.references:
                known = self._schemas.parsed_entry(entry)
                if known is not None and known.canonical == parsed.canonical:
                    return entry
        return None

    # Deleting

    def delete_subject(self, subject: str, *, permanent: bool) -> list[int]:
        """Delete all versions; their numbers."""
        with self._writer.alone() as journal:
            self._may_delete(subject)
            every = self._state.versions(subject, deleted=True)
            if not every:
                raise refusals.no_subject(subject)
            live = [e for e in every if not e.deleted]
            if not permanent and not live:
                raise refusals.RefusedError(
                    40404, f"Subject '{subject}' was soft deleted.Set permanent=true to delete permanently"
                )
            if permanent and live:
                raise refusals.RefusedError(
                    40405, f"Subject '{subject}' was not deleted first before being permanently deleted"
                )
            for entry in every if permanent else live:
                self._unreferenced(entry)
            if permanent:
                self._remove(journal, every)
                return [e.version for e in every]
            journal.append([state.delete_subject(subject, live[-1].version)])
            return [e.version for e in live]

    def delete_version(self, entry: Entry, *, permanent: bool) -> int:
        """Delete one version; its number."""
        with self._writer.alone() as journal:
            self._may_delete(entry.subject)
            if not permanent and entry.deleted:
                raise refusals.RefusedError(
                    40406,
                    f"Subject '{entry.subject}' Version {entry.version} was soft deleted."
                    "Set permanent=true to delete permanently",
                )
            if permanent and not entry.deleted:
                raise refusals.RefusedError(
                    40407,
                    f"Subject '{entry.subject}' Version {entry.version} was not deleted first "
                    "before being permanently deleted",
                )
            self._unreferenced(entry)
            if permanent:
                self._remove(journal, [entry])
            else:
                gone = Entry(entry.subject, entry.version, entry.id, entry.schema, deleted=True)
                journal.append([(gone.key(), gone.value())])
            return entry.version

    def _remove(self, journal: Journal, entries: list[Entry]) -> None:
        # Ids must stay used: messages with them may still exist.
        journal.append([state.highest_id(self._state.highest()), *((e.key(), None) for e in entries)])

    def _unreferenced(self, entry: Entry) -> None:
        if self._state.referencing(entry.subject, entry.version):
            raise refusals.referenced(entry.subject, entry.version)

    def _may_delete(self, subject: str) -> None:
        if self._settings.mode_of(subject) in ("READONLY", "READONLY_OVERRIDE"):
            raise refusals.not_permitted(f"Subject {subject} is in read-only mode")
