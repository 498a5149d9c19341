"""What the registry does: registering with compatibility checks, looking up, deleting, settings.

Any thread. One writer at a time; what it decides on is the state with everything written so far.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from replicator.api.errors import SchemaError
from replicator.converters.registry import formats
from replicator.converters.registry.model import SchemaText
from replicator.converters.registry.server import refusals, state
from replicator.converters.registry.server.state import Entry, Journal, State

LEVELS: Final = (
    "NONE",
    "BACKWARD",
    "FORWARD",
    "FULL",
    "BACKWARD_TRANSITIVE",
    "FORWARD_TRANSITIVE",
    "FULL_TRANSITIVE",
)
MODES: Final = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD")


class Service:
    """See the module."""

    def __init__(self, known: State, journal: Journal) -> None:
        self.state = known
        self._journal = journal
        self._writing = threading.Lock()
        self._parsed: dict[SchemaText, formats.Parsed] = {}

    def refresh(self) -> None:
        """See what others wrote."""
        self._journal.refresh()

    def close(self) -> None:
        """Release the journal."""
        self._journal.close()

    # Schemas

    def register(self, subject: str, asked: SchemaText, *, normalize: bool, number: int = -1,
                 version: int = -1) -> Entry:  # fmt: skip
        """The entry of a schema, made if there is none.

        Raises:
            RefusedError: invalid, incompatible, or not permitted.
        """
        with self._writer():
            schema, parsed = self._understood(asked, normalize or self._normalises(subject))
            found = self._find(subject, schema, parsed)
            mode = self._mode_of(subject)
            if found is not None and number in (-1, found.id):
                return found
            self._may_write(subject, mode, number)
            if mode != "IMPORT":
                reasons = self.check(subject, schema, self.state.versions(subject), self.state.level(subject))
                if reasons:
                    raise refusals.RefusedError(
                        409,
                        f'Schema being registered is incompatible with an earlier schema for subject "{subject}", '
                        f"details: [{', '.join(reasons)}]",
                    )
            entry = self._new_entry(subject, schema, number, version)
            self._journal.append([(entry.key(), entry.value())])
            return entry

    def _new_entry(self, subject: str, schema: SchemaText, number: int, version: int) -> Entry:
        if number < 0:
            known = self.state.id_of(schema)
            number = self.state.next_id() if known is None else known
        else:
            other = self.state.by_id(number)
            if other is not None and other != schema:
                raise refusals.not_permitted(f"Overwrite new schema with id {number} is not permitted.")
        if version < 0:
            version = max((e.version for e in self.state.versions(subject, deleted=True)), default=0) + 1
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
        if not self.state.versions(subject, deleted=deleted):
            raise refusals.no_subject(subject)
        schema, parsed = self._understood(asked, normalize or self._normalises(subject))
        found = self._find(subject, schema, parsed, deleted=deleted)
        if found is None:
            raise refusals.no_schema()
        return found

    def _find(
        self, subject: str, schema: SchemaText, parsed: formats.Parsed, *, deleted: bool = False
    ) -> Entry | None:
        candidates = [
            e for e in reversed(self.state.versions(subject, deleted=deleted)) if e.schema.type == schema.type
        ]
        for entry in candidates:
            if entry.schema == schema:
                return entry
        # Texts from elsewhere may be kept in another form.
        for entry in candidates:
            if entry.schema.references == schema.references:
                known = self._parsed_entry(entry)
                if known is not None and known.canonical == parsed.canonical:
                    return entry
        return None

    def _understood(self, asked: SchemaText, normalize: bool) -> tuple[SchemaText, formats.Parsed]:
        """The schema as it is kept."""
        parsed = self.parsed(asked)
        text = parsed.normalised if normalize else parsed.canonical
        return SchemaText(asked.type, text, asked.references), parsed

    def parsed(self, schema: SchemaText) -> formats.Parsed:
        """A schema, understood.

        Raises:
            RefusedError: it is invalid.
        """
        known = self._parsed.get(schema)
        if known is None:
            try:
                known = formats.parse(schema, self.used(schema))
            except SchemaError as error:
                raise refusals.invalid_schema(
                    f"Invalid schema {schema.text[:2000]} with refs {[r.to_json() for r in schema.references]} "
                    f"of type {schema.type}, details: {error}"
                ) from error
            if len(self._parsed) >= 1000:
                self._parsed.clear()
            self._parsed[schema] = known
        return known

    def _parsed_entry(self, entry: Entry) -> formats.Parsed | None:
        try:
            return self.parsed(entry.schema)
        except refusals.RefusedError:
            return None

    def used(self, schema: SchemaText) -> dict[str, SchemaText]:
        """The schemas a schema refers to, those of the used ones first.

        Raises:
            RefusedError: one is missing.
        """
        found: dict[str, SchemaText] = {}
        for reference in schema.references:
            versions = self.state.versions(reference.subject, deleted=True)
            entry = next((e for e in versions if reference.version in (-1, e.version)), None)
            if entry is None:
                raise refusals.invalid_schema(
                    f'No schema reference found for subject "{reference.subject}" and version {reference.version}'
                )
            found |= self.used(entry.schema)
            found[reference.name] = entry.schema
        return found

    def check(self, subject: str, schema: SchemaText, earlier: list[Entry], level: str) -> list[str]:
        """Why a schema may not follow these versions; empty when it may."""
        if level == "NONE" or not earlier:
            return []
        asked = self.parsed(schema)
        against = earlier if level.endswith("_TRANSITIVE") else earlier[-1:]
        for entry in reversed(against):
            reasons = self._against(schema, asked, entry, level)
            if reasons:
                return [
                    *reasons,
                    f"{{oldSchemaVersion: {entry.version}}}",
                    f"{{oldSchema: '{entry.schema.text}'}}",
                    f"{{compatibility: '{level}'}}",
                ]
        return []

    def _against(self, schema: SchemaText, asked: formats.Parsed, entry: Entry, level: str) -> list[str]:
        if entry.schema.type != schema.type:
            return [
                f"{{errorType:'TYPE_MISMATCH', description:'The new schema is of type {schema.type}, "
                f"the old one of type {entry.schema.type}', additionalInfo:''}}"
            ]
        old = self.parsed(entry.schema)
        found: list[str] = []
        if level.startswith(("BACKWARD", "FULL")):
            problems = formats.differences(schema.type, reader=asked, writer=old)
            found += [p.describe(reader="new", writer="old") for p in problems]
        if level.startswith(("FORWARD", "FULL")):
            problems = formats.differences(schema.type, reader=old, writer=asked)
            found += [p.describe(reader="old", writer="new") for p in problems]
        return found

    # Deleting

    def delete_subject(self, subject: str, *, permanent: bool) -> list[int]:
        """Delete all versions; their numbers."""
        with self._writer():
            self._may_delete(subject)
            every = self.state.versions(subject, deleted=True)
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
                self._remove(every)
                return [e.version for e in every]
            self._journal.append([state.delete_subject(subject, live[-1].version)])
            return [e.version for e in live]

    def delete_version(self, entry: Entry, *, permanent: bool) -> int:
        """Delete one version; its number."""
        with self._writer():
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
                self._remove([entry])
            else:
                gone = Entry(entry.subject, entry.version, entry.id, entry.schema, deleted=True)
                self._journal.append([(gone.key(), gone.value())])
            return entry.version

    def _remove(self, entries: list[Entry]) -> None:
        # Ids must stay used: messages with them may still exist.
        self._journal.append([state.highest_id(self.state.highest()), *((e.key(), None) for e in entries)])

    def _unreferenced(self, entry: Entry) -> None:
        if self.state.referencing(entry.subject, entry.version):
            raise refusals.referenced(entry.subject, entry.version)

    def _may_delete(self, subject: str) -> None:
        if self._mode_of(subject) in ("READONLY", "READONLY_OVERRIDE"):
            raise refusals.not_permitted(f"Subject {subject} is in read-only mode")

    # Settings

    def set_config(self, subject: str | None, asked: dict[str, Any]) -> dict[str, Any]:
        """Change the settings; what was asked for is the answer."""
        level = asked.get("compatibility")
        if level is not None:
            level = str(level).upper()
            if level not in LEVELS:
                raise refusals.invalid_level()
            asked = asked | {"compatibility": level}
        with self._writer():
            kept = dict(self.state.config(subject) or {})
            if level is not None:
                kept["compatibilityLevel"] = level
            kept |= {k: v for k, v in asked.items() if k != "compatibility"}
            self._journal.append([(state.setting_key("CONFIG", subject), state.dump(kept))])
        return asked

    def delete_setting(self, kind: str, subject: str | None) -> None:
        """Forget a setting."""
        with self._writer():
            self._journal.append([(state.setting_key(kind, subject), None)])

    def set_mode(self, subject: str | None, asked: str, *, force: bool) -> str:
        """Change the mode."""
        mode = asked.upper()
        if mode not in MODES:
            raise refusals.invalid_mode()
        with self._writer():
            if mode == "IMPORT" and not force:
                taken = self.state.subjects() if subject is None else self.state.versions(subject)
                if taken:
                    raise refusals.not_permitted("Cannot import since found existing subjects")
            self._journal.append([(state.setting_key("MODE", subject), state.dump({"mode": mode}))])
        return mode

    def _mode_of(self, subject: str) -> str:
        overall = self.state.mode(None)
        if overall == "READONLY_OVERRIDE":
            return overall
        return self.state.mode(subject) or overall or state.DEFAULT_MODE

    def _normalises(self, subject: str) -> bool:
        for scope in (subject, None):
            found = self.state.config(scope)
            if found is not None and found.get("normalize") is not None:
                return bool(found["normalize"])
        return False

    @contextmanager
    def _writer(self) -> Iterator[None]:
        with self._writing:
            self._journal.refresh()
            yield
