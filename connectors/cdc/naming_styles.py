"""CollectionNameTransformation and FieldNameTransformation of the JDBC sink: names in another style. Task thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from connectors.cdc.smt_options import option
from replicator.api.config import ConfigDef, Width
from replicator.api.errors import ConfigError, SchemaError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_BORDERS: Final = re.compile(r"([a-z])([A-Z])|([a-zA-Z])([0-9])|([0-9])([a-zA-Z])|\.")
_SEPARATORS: Final = re.compile(r"[._]+")
_IMAGES: Final = ("before", "after")


def snake_case(name: str) -> str:
    """`customerOrders` as `customer_orders`; digits stand alone, dots become underscores."""

    def border(found: re.Match[str]) -> str:
        before, after = (found[1] or found[3] or found[5] or ""), (found[2] or found[4] or found[6] or "")
        return f"{before}_{after}"

    return _BORDERS.sub(border, name).lower()


def camel_case(name: str) -> str:
    """`customer_orders` as `customerOrders`; what stands before the first border is lower case."""
    words = _SEPARATORS.split(name)
    while words and not words[-1]:
        words.pop()
    return "".join(w.lower() if n == 0 else w[:1].upper() + w[1:].lower() for n, w in enumerate(words))


_STYLES: Final[dict[str, Callable[[str], str]]] = {
    "SNAKE_CASE": snake_case,
    "CAMEL_CASE": camel_case,
    "UPPER_CASE": str.upper,
    "LOWER_CASE": str.lower,
    "DEFAULT": str,
}


class _Renaming(Transformation):
    """Prefix, style and suffix of names."""

    what: ClassVar[str]
    shown: ClassVar[str]

    @classmethod
    def config_def(cls) -> ConfigDef:
        def named(part: str, default: str, doc: str) -> Any:
            shown = f"{cls.shown} {'Naming' if part == 'style' else 'Name'} {part.capitalize()}"
            return option(f"{cls.what}.naming.{part}", Type.STRING, default, shown, doc, width=Width.MEDIUM)

        return ConfigDef(
            named("prefix", "", "Put in front of every name."),
            named("suffix", "", "Put behind every name."),
            named("style", "default", "default, snake_case, camel_case, UPPER_CASE or lower_case."),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._prefix = options[f"{self.what}.naming.prefix"]
        self._suffix = options[f"{self.what}.naming.suffix"]
        style = options[f"{self.what}.naming.style"]
        try:
            self._style = _STYLES[style.upper()]
        except KeyError:
            raise ConfigError(
                f"Invalid naming style: {style}. Allowed styles are: {', '.join(_STYLES)}",
                option=f"{self.what}.naming.style",
            ) from None

    def renamed(self, name: str) -> str:
        """The new name."""
        return f"{self._prefix}{self._style(name)}{self._suffix}"


class CollectionNameTransformation(_Renaming):
    """Renames topics, after which the sink names its tables."""

    aliases: ClassVar[tuple[str, ...]] = (
        "io.debezium.connector.jdbc.transforms.CollectionNameTransformation",
    )
    what = "collection"
    shown = "Collection"

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        return record.evolve(topic=self.renamed(record.topic))


class _Plan(NamedTuple):
    """A schema with other names, and where its values come from."""

    schema: Schema
    names: tuple[tuple[str, str], ...]

    def value(self, old: Any) -> dict[str, Any]:
        """Fields under their new names."""
        fields = old.fields if isinstance(old, Struct) else old
        return {new: fields.get(name) for name, new in self.names}


class FieldNameTransformation(_Renaming):
    """Renames the fields of keys and rows, in change events those of both images; nested fields keep their names."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.connector.jdbc.transforms.FieldNameTransformation",)
    what = "column"
    shown = "Column"

    def __init__(self) -> None:
        self._plans = PlanCache(self._plan)
        self._envelopes = PlanCache(self._envelope)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema = record.value_schema
        if schema is None or schema.type is not SchemaType.STRUCT:
            return record
        changes: dict[str, Any] = {}
        if record.key_schema is not None and record.key_schema.type is SchemaType.STRUCT:
            changes["key_schema"], changes["key"] = self._row(record.key_schema, record.key)
        if schema.name is not None and schema.name.endswith(".Envelope") and record.value is not None:
            made = self._envelopes(schema)
            fields = dict(record.value.fields)
            for name in _IMAGES:
                image = fields.get(name)
                field = schema.field(name)
                if image is not None and field is not None:
                    fields[name] = self._plans(field.schema).value(image)
            changes["value_schema"], changes["value"] = made, Struct(made, fields)
        else:
            changes["value_schema"], changes["value"] = self._row(schema, record.value)
        return record.evolve(**changes)

    def _row(self, schema: Schema, value: Any) -> tuple[Schema, Struct | None]:
        plan = self._plans(schema)
        return plan.schema, None if value is None else Struct(plan.schema, plan.value(value))

    def _plan(self, schema: Schema) -> _Plan:
        names = tuple((field.name, self.renamed(field.name)) for field in schema.fields)
        seen: set[str] = set()
        for _, new in names:
            if new in seen:
                raise SchemaError(f"Cannot create field because of field name duplication {new}")
            seen.add(new)
        fields = [(new, field.schema) for (_, new), field in zip(names, schema.fields, strict=True)]
        return _Plan(schema.evolve(fields=fields), names)

    def _envelope(self, schema: Schema) -> Schema:
        fields = [
            (f.name, self._plans(f.schema).schema if f.name in _IMAGES else f.schema) for f in schema.fields
        ]
        return schema.evolve(fields=fields)
