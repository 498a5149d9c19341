"""What the registry understands of schemas: parsing with what they refer to, and compatibility. Any thread."""

from __future__ import annotations

from replicator.api.errors import SchemaError
from replicator.converters.registry import formats
from replicator.converters.registry.model import SchemaText
from replicator.converters.registry.server import refusals
from replicator.converters.registry.server.state import Entry, State


class Schemas:
    """Keeps what it parsed."""

    def __init__(self, known: State) -> None:
        self._state = known
        self._parsed: dict[SchemaText, formats.Parsed] = {}

    def understood(self, asked: SchemaText, normalize: bool) -> tuple[SchemaText, formats.Parsed]:
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

    def used(self, schema: SchemaText) -> dict[str, SchemaText]:
        """The schemas a schema refers to, those of the used ones first.

        Raises:
            RefusedError: one is missing.
        """
        found: dict[str, SchemaText] = {}
        for reference in schema.references:
            versions = self._state.versions(reference.subject, deleted=True)
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

    def parsed_entry(self, entry: Entry) -> formats.Parsed | None:
        """The same of a kept schema; None when it is invalid."""
        try:
            return self.parsed(entry.schema)
        except refusals.RefusedError:
            return None
