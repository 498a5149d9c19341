"""Struct: named values bound to a schema.

A Struct wraps a plain dict. Nested structs inside that dict may be plain dicts too; `get` wraps
them when somebody asks. So a log reader builds plain dicts, a JSON converter dumps and parses
them whole, and nothing walks over fields that nobody reads. Treat a Struct handed to you as
immutable; transforms build new ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from replicator.api.errors import SchemaError
from replicator.api.schema import Schema, SchemaType

_PYTHON_TYPES: dict[SchemaType, tuple[type, ...]] = {
    SchemaType.INT8: (int,),
    SchemaType.INT16: (int,),
    SchemaType.INT32: (int,),
    SchemaType.INT64: (int,),
    SchemaType.FLOAT32: (float, int),
    SchemaType.FLOAT64: (float, int),
    SchemaType.BOOLEAN: (bool,),
    SchemaType.STRING: (str,),
    SchemaType.BYTES: (bytes, bytearray, memoryview),
    SchemaType.ARRAY: (list, tuple),
    SchemaType.MAP: (dict,),
}


class Struct:
    """Values of a STRUCT schema.

    Attributes:
        schema: the STRUCT schema.
        fields: name -> value; absent names are None. Nested structs are Struct or plain dict.
    """

    __slots__ = ("fields", "schema")

    def __init__(self, schema: Schema, fields: dict[str, Any] | None = None) -> None:
        self.schema = schema
        self.fields: dict[str, Any] = {} if fields is None else fields

    def get(self, name: str) -> Any:
        """The value of a field, or its schema's default when it is None.

        Raises:
            SchemaError: the schema has no such field.
        """
        value = self.get_without_default(name)
        if value is None:
            field = self.schema.field(name)
            return field.schema.default if field is not None else None
        return value

    def get_without_default(self, name: str) -> Any:
        """The value of a field as stored; nested dicts of STRUCT fields come as Struct.

        Raises:
            SchemaError: the schema has no such field.
        """
        value = self.fields.get(name)
        if value is None or type(value) is dict:
            field = self.schema.field(name)
            if field is None:
                raise SchemaError(f"{name} is not a valid field name")
            if value is not None and field.schema.type is SchemaType.STRUCT:
                return Struct(field.schema, value)
        return value

    def put(self, name: str, value: Any) -> Struct:
        """Set a field, checking its type; returns self.

        Raises:
            SchemaError: no such field, or the value does not fit.
        """
        field = self.schema.field(name)
        if field is None:
            raise SchemaError(f"{name} is not a valid field name")
        check_value(field.schema, value, name)
        self.fields[name] = value
        return self

    def validate(self) -> None:
        """Check every field.

        Raises:
            SchemaError: a required field is None or a value has the wrong type.
        """
        for field in self.schema.fields:
            check_value(field.schema, self.fields.get(field.name), field.name)

    def plain(self) -> dict[str, Any]:
        """The fields with nested Structs unwrapped to dicts, for comparison and printing."""
        return {k: _plain(v) for k, v in self.fields.items()}

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return ((f.name, self.get_without_default(f.name)) for f in self.schema.fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Struct) or self.schema != other.schema:
            return False
        mine, theirs = self.plain(), other.plain()
        return all(mine.get(f.name) == theirs.get(f.name) for f in self.schema.fields)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Struct({self.schema.name or 'struct'}, {self.plain()!r})"


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return value.plain()
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value


def check_value(schema: Schema, value: Any, what: str = "value") -> None:
    """Check one value against its schema (logical types by their base type or object).

    Raises:
        SchemaError: the value does not fit.
    """
    if value is None:
        if not schema.optional and schema.default is None:
            raise SchemaError(
                f'Invalid value: null used for required field: "{what}", schema type: {schema.type.name}'
            )
        return
    if schema.type is SchemaType.STRUCT:
        if isinstance(value, dict):
            Struct(schema, value).validate()
        elif not isinstance(value, Struct):
            raise SchemaError(f"Invalid type for {what}: expected a struct, got {type(value).__name__}")
        return
    if schema.name is not None and schema.name.startswith("org.apache.kafka.connect.data."):
        return
    expected = _PYTHON_TYPES[schema.type]
    wrong_bool = isinstance(value, bool) and schema.type is not SchemaType.BOOLEAN
    if wrong_bool or not isinstance(value, expected):
        raise SchemaError(
            f'Invalid type for "{what}": schema {schema.type.name}, value {type(value).__name__}'
        )
