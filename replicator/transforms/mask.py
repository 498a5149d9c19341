"""MaskField: fields emptied, or replaced by a fixed text. Task thread."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import DataError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.api.validators import non_empty
from replicator.transforms import java_numbers as numbers
from replicator.transforms.copying import copier, same_names
from replicator.transforms.java_lists import non_empty_list
from replicator.transforms.part import NULL_SWITCH, PACKAGE, OnKey, OnValue, PartTransform, null_switch
from replicator.transforms.required import java_class, require_map, require_struct

_PURPOSE: Final = "mask fields"
_BITS: Final = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32}


class MaskField(PartTransform):
    """Replaces the values of fields; nulls stay null."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            key(
                "fields",
                Type.LIST,
                importance=Importance.HIGH,
                validator=non_empty_list,
                doc="Fields to mask.",
            ),
            key(
                "replacement",
                Type.STRING,
                None,
                importance=Importance.LOW,
                validator=non_empty,
                doc="What to put there instead of the empty value of the field's type; numbers and texts only.",
            ),
            null_switch(),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._names = frozenset(options["fields"])
        self._replacement: str | None = options["replacement"]
        self._defaults: bool = options[NULL_SWITCH]
        self._plans = PlanCache(self._plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        if schema is None:
            values = dict(require_map(value, _PURPOSE))
            for name in self._names:
                values[name] = self._masked(values.get(name), None)
            return self.write(record, None, values)
        struct = require_struct(value, _PURPOSE, schema)
        return self.write(record, schema, Struct(struct.schema, self._plans(struct.schema)(struct.fields)))

    def _plan(self, schema: Schema) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        copy = copier(same_names(schema), schema, defaults=self._defaults)
        masked = [(f.name, f.schema) for f in schema.fields if f.name in self._names]

        def build(fields: Mapping[str, Any]) -> dict[str, Any]:
            values = copy(fields)
            for name, field_schema in masked:
                value = values[name]
                if value is not None:
                    values[name] = self._masked(value, field_schema)
            return values

        return build

    def _masked(self, value: Any, schema: Schema | None) -> Any:
        if value is None:
            return None
        if self._replacement is None:
            return _empty(value, schema)
        try:
            return _replaced(value, schema, self._replacement)
        except ValueError:
            raise DataError(
                f"Unable to convert {self._replacement} (class java.lang.String) to {_a_number(value)}"
            ) from None


class MaskFieldKey(OnKey, MaskField):
    """MaskField of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}MaskField$Key",)


class MaskFieldValue(OnValue, MaskField):
    """MaskField of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}MaskField$Value",)


def _a_number(value: Any) -> str:
    return "number" if isinstance(value, Decimal) else "a number"  # as Java words the two


def _empty(value: Any, schema: Schema | None) -> Any:
    if isinstance(value, (bool, int, float, str, Decimal)):
        return type(value)()
    if isinstance(value, dt.datetime):
        return numbers.timestamp(0)
    if isinstance(value, dt.date):
        return dt.date(1970, 1, 1)
    if isinstance(value, dt.time):
        return dt.time()
    is_struct = schema is not None and schema.type is SchemaType.STRUCT
    if isinstance(value, (list, tuple)):
        return []
    if isinstance(value, dict) and not is_struct:
        return {}
    shown = "org.apache.kafka.connect.data.Struct" if is_struct else java_class(value, schema)
    raise DataError(f"Cannot mask value of type: class {shown}")


def _replaced(value: Any, schema: Schema | None, replacement: str) -> Any:
    if isinstance(value, str):
        return replacement
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        shown = java_class(value, schema)
        raise DataError(f"Cannot mask value of type class {shown} with custom replacement.")
    if isinstance(value, Decimal):
        return numbers.parse_decimal(replacement)
    number = numbers.parse_decimal(replacement)
    if isinstance(value, float):
        is_single = schema is not None and schema.type is SchemaType.FLOAT32
        return numbers.single(float(number)) if is_single else float(number)
    return numbers.narrow(number, 64 if schema is None else _BITS.get(schema.type, 64))
