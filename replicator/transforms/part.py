"""What transforms of a key or a value share: which part they read and write, and what they require of it.

Each such transform has two classes, as in Java (`...$Key`, `...$Value`). Task thread. Records may share their
objects with the log's batches, so nothing here changes a value in place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

from replicator.api.config import ConfigKey, Importance, Type, key
from replicator.api.errors import DataError, SchemaError
from replicator.api.record import ConnectRecord
from replicator.api.schema import Field, Schema, SchemaType
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

PACKAGE: Final = "org.apache.kafka.connect.transforms."
NULL_SWITCH: Final = "replace.null.with.default"

_OF_TYPE: Final[dict[SchemaType, str]] = {
    SchemaType.INT8: "java.lang.Byte",
    SchemaType.INT16: "java.lang.Short",
    SchemaType.INT32: "java.lang.Integer",
    SchemaType.FLOAT32: "java.lang.Float",
}
_OF_CLASS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "java.lang.Boolean"),
    (int, "java.lang.Long"),
    (float, "java.lang.Double"),
    (str, "java.lang.String"),
    ((bytes, bytearray, memoryview), "[B"),
    (Decimal, "java.math.BigDecimal"),
    ((dt.date, dt.time), "java.util.Date"),
    ((list, tuple), "java.util.ArrayList"),
    (dict, "java.util.HashMap"),
    (Struct, "org.apache.kafka.connect.data.Struct"),
)

Fields = Mapping[str, Any]
Getter = Callable[[str], Any]


class Part(Protocol):
    """Reads and writes one part of a record."""

    def read(self, record: ConnectRecord) -> tuple[Schema | None, Any]:
        """Schema and value of the part."""
        ...

    def write(self, record: ConnectRecord, schema: Schema | None, value: Any) -> ConnectRecord:
        """The record with another schema and value there."""
        ...


class PartTransform(Transformation):
    """A transform of the key or the value."""

    def read(self, record: ConnectRecord) -> tuple[Schema | None, Any]:
        """Schema and value of the part."""
        raise NotImplementedError

    def write(self, record: ConnectRecord, schema: Schema | None, value: Any) -> ConnectRecord:
        """The record with another schema and value there."""
        raise NotImplementedError


class OnKey(PartTransform):
    """The part is the key."""

    def read(self, record: ConnectRecord) -> tuple[Schema | None, Any]:
        return record.key_schema, record.key

    def write(self, record: ConnectRecord, schema: Schema | None, value: Any) -> ConnectRecord:
        return record.evolve(key_schema=schema, key=value)


class OnValue(PartTransform):
    """The part is the value."""

    def read(self, record: ConnectRecord) -> tuple[Schema | None, Any]:
        return record.value_schema, record.value

    def write(self, record: ConnectRecord, schema: Schema | None, value: Any) -> ConnectRecord:
        return record.evolve(value_schema=schema, value=value)


def null_switch() -> ConfigKey:
    """The option that says whether a null counts as its field's default."""
    return key(
        NULL_SWITCH,
        Type.BOOLEAN,
        True,
        importance=Importance.MEDIUM,
        doc="Whether a null in a field that has a default value is taken for that default. "
        "Copies of tables want false: a null is then kept as null.",
    )


def java_class(value: Any, schema: Schema | None = None) -> str:
    """Name of the Java class that holds such a value, for messages."""
    if value is None:
        return "null"
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if schema is not None and plain and schema.type in _OF_TYPE:
        return _OF_TYPE[schema.type]
    for classes, name in _OF_CLASS:
        if isinstance(value, classes):
            return name
    return type(value).__name__


def require_map(value: Any, purpose: str, schema: Schema | None = None) -> dict[str, Any]:
    """The value, which must be a map.

    Raises:
        DataError: it is none.
    """
    if type(value) is not dict:
        found = java_class(value, schema)
        raise DataError(f"Only Map objects supported in absence of schema for [{purpose}], found: {found}")
    return value


def require_struct(value: Any, purpose: str, schema: Schema | None) -> Struct:
    """The value, which must be a struct.

    Raises:
        DataError: it is none.
    """
    if not isinstance(value, Struct):
        found = java_class(value, schema)
        raise DataError(f"Only Struct objects supported for [{purpose}], found: {found}")
    return value


def basics(schema: Schema, fields: Iterable[tuple[str, Schema]] | None = None) -> Schema:
    """A required schema without default that keeps name, version, documentation and parameters."""
    changes: dict[str, Any] = {"optional": False, "default": None}
    if fields is not None:
        changes["fields"] = distinct(fields)
    return schema.evolve(**changes)


def distinct(fields: Iterable[tuple[str, Schema]]) -> list[tuple[str, Schema]]:
    """The fields of a new struct.

    Raises:
        SchemaError: two have the same name.
    """
    listed = list(fields)
    names: set[str] = set()
    for name, _ in listed:
        if name in names:
            raise SchemaError(f"Cannot create field because of field name duplication {name}")
        names.add(name)
    return listed


def fields_of(schema: Schema) -> tuple[Field, ...]:
    """The fields of a struct.

    Raises:
        DataError: the schema is of another type.
    """
    if schema.type is not SchemaType.STRUCT:
        raise DataError("Cannot list fields on non-struct type")
    return schema.fields


def copier(
    fields: Sequence[tuple[str, str]], source: Schema, *, defaults: bool, made: Schema | None = None
) -> Callable[[Fields], dict[str, Any]]:
    """A function that builds new fields from (new name, name in the source) pairs.

    With `defaults`, a null in a field that has a default becomes the default. `made` is the schema that the new
    fields are for, where it has other types.
    """
    names = tuple(new for new, _ in fields)
    olds = tuple(old for _, old in fields)
    found = [(new, field.schema) for new, old in fields if (field := source.field(old)) is not None]
    filled = [(name, schema.default) for name, schema in found if schema.default is not None]
    types = {} if made is None else {field.name: field.schema for field in made.fields}
    required = [
        (name, schema) for name, schema in found if schema.default is not None and not schema.optional
    ]

    def picked(values: Fields) -> dict[str, Any]:
        return dict(zip(names, map(values.get, olds), strict=True))

    def whole(values: Fields) -> dict[str, Any]:
        # As many values as fields: every field has one, and the dict itself need only be copied.
        return dict(values) if len(values) == len(names) else picked(values)

    copy = whole if names == olds == tuple(f.name for f in source.fields) else picked

    def copy_filled(values: Fields) -> dict[str, Any]:
        copied = copy(values)
        for name, default in filled:
            if copied[name] is None:
                copied[name] = default
        return copied

    def copy_checked(values: Fields) -> dict[str, Any]:
        copied = copy(values)
        for name, schema in required:
            if copied[name] is None:
                raise null_in_required(name, types.get(name, schema))
        return copied

    if defaults:
        return copy_filled if filled else copy
    return copy_checked if required else copy


def schema_text(schema: Schema) -> str:
    """A schema as Java prints it."""
    return (
        f"Schema{{{schema.type.name}}}"
        if schema.name is None
        else f"Schema{{{schema.name}:{schema.type.name}}}"
    )


def null_in_required(name: str, schema: Schema) -> SchemaError:
    """The error for a null that was not replaced by its default, in a field that may not be null."""
    return SchemaError(
        f'Invalid value: null used for required field: "{name}", schema type: {schema.type.name}'
    )


def same_names(schema: Schema) -> list[tuple[str, str]]:
    """(name, name) of every field."""
    return [(f.name, f.name) for f in schema.fields]


def field_reader(schema: Schema, name: str, *, defaults: bool) -> Callable[[Struct], Any]:
    """A function that reads one field that the schema has, in the way the null switch says."""
    field = schema.field(name)
    assert field is not None
    default = field.schema.default if defaults else None
    nested = field.schema if field.schema.type is SchemaType.STRUCT else None

    def read(struct: Struct) -> Any:
        value = struct.fields.get(name)
        if value is None:
            return default
        return Struct(nested, value) if nested is not None and type(value) is dict else value

    return read
