"""Connect's data model: immutable schemas.

Schemas are built once per table version and shared by all its records, so that converters and
writers can compile code per schema and find it again by identity. Equality is by value.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Final


class SchemaType(enum.Enum):
    """Connect's types; the value is the name used in JSON schemas."""

    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float"
    FLOAT64 = "double"
    BOOLEAN = "boolean"
    STRING = "string"
    BYTES = "bytes"
    ARRAY = "array"
    MAP = "map"
    STRUCT = "struct"


class Field:
    """A named member of a struct schema."""

    __slots__ = ("index", "name", "schema")

    def __init__(self, name: str, index: int, schema: Schema) -> None:
        self.name = name
        self.index = index
        self.schema = schema

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.schema!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and self.name == other.name and self.schema == other.schema

    def __hash__(self) -> int:
        return hash((self.name, self.schema))


class Schema:
    """Immutable description of a value.

    Attributes:
        type: the Connect type.
        optional: whether None is allowed.
        default: default value, in the form a value of this schema has, or None.
        name: semantic name such as `io.debezium.time.Date`, or None.
        version: version of the semantic type, or None.
        doc: documentation, or None.
        parameters: string parameters, for example `{"scale": "2"}`.
        fields: members, for STRUCT only.
        key_schema: schema of keys, for MAP only.
        value_schema: schema of elements (ARRAY) or values (MAP).
    """

    __slots__ = (
        "_by_name",
        "_hash",
        "default",
        "doc",
        "fields",
        "key_schema",
        "name",
        "optional",
        "parameters",
        "type",
        "value_schema",
        "version",
    )

    def __init__(
        self,
        type_: SchemaType,
        *,
        optional: bool = False,
        default: Any = None,
        name: str | None = None,
        version: int | None = None,
        doc: str | None = None,
        parameters: Mapping[str, str] | None = None,
        fields: Sequence[tuple[str, Schema]] = (),
        key_schema: Schema | None = None,
        value_schema: Schema | None = None,
    ) -> None:
        self.type = type_
        self.optional = optional
        self.default = default
        self.name = name
        self.version = version
        self.doc = doc
        self.parameters: Mapping[str, str] = dict(parameters) if parameters else {}
        self.fields = tuple(Field(n, i, s) for i, (n, s) in enumerate(fields))
        self.key_schema = key_schema
        self.value_schema = value_schema
        self._by_name = {f.name: f for f in self.fields}
        self._hash: int | None = None

    def field(self, name: str) -> Field | None:
        """The field called `name`, or None."""
        return self._by_name.get(name)

    def evolve(self, **changes: Any) -> Schema:
        """A copy with some attributes replaced; `fields` as (name, schema) pairs."""
        now: dict[str, Any] = {
            "optional": self.optional,
            "default": self.default,
            "name": self.name,
            "version": self.version,
            "doc": self.doc,
            "parameters": self.parameters,
            "fields": [(f.name, f.schema) for f in self.fields],
            "key_schema": self.key_schema,
            "value_schema": self.value_schema,
        }
        type_ = changes.pop("type", self.type)
        return Schema(type_, **(now | changes))

    def as_optional(self) -> Schema:
        """This schema, allowing None."""
        return self if self.optional else self.evolve(optional=True)

    def _identity(self) -> tuple[Any, ...]:
        return (
            self.type,
            self.optional,
            repr(self.default),
            self.name,
            self.version,
            self.doc,
            tuple(sorted(self.parameters.items())),
            self.fields,
            self.key_schema,
            self.value_schema,
        )

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Schema) and hash(self) == hash(other) and self._identity() == other._identity()
        )

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self._identity())
        return self._hash

    def __repr__(self) -> str:
        return f"Schema({self.name or self.type.value}{'?' if self.optional else ''})"


def struct_schema(
    fields: Sequence[tuple[str, Schema]],
    *,
    name: str | None = None,
    optional: bool = False,
    version: int | None = None,
    doc: str | None = None,
) -> Schema:
    """A STRUCT schema of (name, schema) pairs."""
    return Schema(SchemaType.STRUCT, fields=fields, name=name, optional=optional, version=version, doc=doc)


def array_schema(element: Schema, *, optional: bool = False, name: str | None = None) -> Schema:
    """An ARRAY schema."""
    return Schema(SchemaType.ARRAY, value_schema=element, optional=optional, name=name)


def map_schema(key: Schema, value: Schema, *, optional: bool = False) -> Schema:
    """A MAP schema."""
    return Schema(SchemaType.MAP, key_schema=key, value_schema=value, optional=optional)


INT8: Final = Schema(SchemaType.INT8)
INT16: Final = Schema(SchemaType.INT16)
INT32: Final = Schema(SchemaType.INT32)
INT64: Final = Schema(SchemaType.INT64)
FLOAT32: Final = Schema(SchemaType.FLOAT32)
FLOAT64: Final = Schema(SchemaType.FLOAT64)
BOOLEAN: Final = Schema(SchemaType.BOOLEAN)
STRING: Final = Schema(SchemaType.STRING)
BYTES: Final = Schema(SchemaType.BYTES)
OPTIONAL_INT8: Final = INT8.as_optional()
OPTIONAL_INT16: Final = INT16.as_optional()
OPTIONAL_INT32: Final = INT32.as_optional()
OPTIONAL_INT64: Final = INT64.as_optional()
OPTIONAL_FLOAT32: Final = FLOAT32.as_optional()
OPTIONAL_FLOAT64: Final = FLOAT64.as_optional()
OPTIONAL_BOOLEAN: Final = BOOLEAN.as_optional()
OPTIONAL_STRING: Final = STRING.as_optional()
OPTIONAL_BYTES: Final = BYTES.as_optional()
