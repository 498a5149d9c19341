"""New schemas and new fields made of those of a record, compiled once per schema. Pure.

Records may share their objects with the log's batches, so nothing here changes a value in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from replicator.api.errors import SchemaError
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.transforms.required import null_in_required

Fields = Mapping[str, Any]
Copy = Callable[[Fields], dict[str, Any]]


class CopyPlan(NamedTuple):
    """What a transform does with structs of one schema: makes others of copied fields."""

    schema: Schema
    copy: Copy

    def copied(self, struct: Struct) -> Struct:
        """The new struct."""
        return Struct(self.schema, self.copy(struct.fields))


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


def copier(
    fields: Sequence[tuple[str, str]], source: Schema, *, defaults: bool, made: Schema | None = None
) -> Copy:
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
