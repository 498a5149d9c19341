"""SchemaChangeEventFilter: drops schema change events of some kinds. Task thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from connectors.cdc.smt_options import option, require
from replicator.api.config import ConfigDef, Importance, Width
from replicator.api.errors import ConfigError
from replicator.api.option_types import Type
from replicator.api.record import ConnectRecord
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_KINDS: Final = ("CREATE", "ALTER", "DROP", "TRUNCATE", "DATABASE")
_OPTION: Final = "schema.change.event.exclude.list"


class SchemaChangeEventFilter(Transformation):
    """Drops by the kind of the first table change; events without one count as DATABASE."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.SchemaChangeEventFilter",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            option(
                _OPTION,
                Type.STRING,
                None,
                "Schema change event exclude list",
                f"Kinds of schema change events to drop: {', '.join(_KINDS)}.",
                importance=Importance.HIGH,
                width=Width.SHORT,
            )
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        require(options, _OPTION)
        kinds = [kind.strip() for kind in options[_OPTION].split(",")]
        for kind in kinds:
            if kind not in _KINDS:
                constant = f"io.debezium.schema.SchemaChangeEvent.SchemaChangeEventType.{kind}"
                raise ConfigError(f"No enum constant {constant}", option=_OPTION)
        self._excluded = frozenset(kinds)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        value, schema = record.value, record.value_schema
        if schema is None or not (schema.name or "").endswith("SchemaChangeValue"):
            return record
        if not isinstance(value, Struct):
            return record
        changes = value.fields.get("tableChanges")
        if changes is None:
            return None
        return None if _kind(changes) in self._excluded else record


def _kind(changes: list[Any]) -> str:
    if not changes:
        return "DATABASE"
    first = changes[0]
    fields = first.fields if isinstance(first, Struct) else first
    return str(fields.get("type"))
