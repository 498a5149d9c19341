"""ExtractChangedRecordState: headers that list which fields of a row an update changed. Task thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.cdc.smt_options import option
from connectors.cdc.unwrap import is_envelope
from replicator.api.config import ConfigDef
from replicator.api.option_types import Type
from replicator.api.record import ConnectRecord, Header
from replicator.api.schema import OPTIONAL_STRING, Schema, array_schema
from replicator.api.struct import Struct
from replicator.api.transform import Transformation


class ExtractChangedRecordState(Transformation):
    """Compares before and after image; without both, the lists are empty."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.ExtractChangedRecordState",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            option(
                "header.changed.name",
                Type.STRING,
                None,
                "Header change name.",
                "Header for the names of the fields that changed; none when not set.",
            ),
            option(
                "header.unchanged.name",
                Type.STRING,
                None,
                "Header unchanged name.",
                "Header for the names of the fields that did not change; none when not set.",
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._changed = _named_list(options["header.changed.name"])
        self._unchanged = _named_list(options["header.unchanged.name"])

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value is None or not is_envelope(record):
            return record
        changed, unchanged = _compared(record.value)
        headers = list(record.headers or ())
        for schema, names in ((self._changed, changed), (self._unchanged, unchanged)):
            if schema is not None and schema.name is not None:
                headers.append(Header(schema.name, schema, names))
        return record.evolve(headers=headers) if headers else record


def _named_list(name: str | None) -> Schema | None:
    return array_schema(OPTIONAL_STRING, optional=True, name=name) if name else None


def _compared(envelope: Struct) -> tuple[list[str], list[str]]:
    before, after = envelope.get_without_default("before"), envelope.get_without_default("after")
    changed: list[str] = []
    unchanged: list[str] = []
    if before is not None and after is not None:
        for field in after.schema.fields:
            name = field.name
            same = _same(before.get(name), after.get(name))
            (unchanged if same else changed).append(name)
    return changed, unchanged


def _same(before: Any, after: Any) -> bool:
    # NaN is NaN, as it is to databases.
    return bool(before == after or (before != before and after != after))
