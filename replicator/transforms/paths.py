"""Paths to fields: one name (syntax V1), or nested names between dots with quoting by backticks (V2). Pure."""

from __future__ import annotations

from typing import Any, Final

from replicator.api.config import ConfigKey, Importance, key
from replicator.api.errors import ConfigError, DataError
from replicator.api.option_types import Type, invalid
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.transforms.required import require_map

SYNTAX: Final = "field.syntax.version"
_PURPOSE: Final = "nested field access"


def syntax_version() -> ConfigKey:
    """The option that chooses the syntax of paths."""
    return key(
        SYNTAX,
        Type.STRING,
        "V1",
        importance=Importance.HIGH,
        validator=_is_version,
        doc="V1: a field's name, on the first level only. V2: names of nested fields joined by dots; a name that "
        "holds dots itself is put between backticks.",
    )


def _is_version(name: str, value: Any) -> None:
    if str(value).upper() not in ("V1", "V2"):
        raise invalid(name, value, "String must be one of (case insensitive): V1, V2")


def parse_path(text: str, version: str) -> tuple[str, ...]:
    """The names on the way to a field.

    Raises:
        ConfigError: a backtick has no partner, or a nested path is empty.
    """
    if not text and version.upper() == "V2":
        raise ConfigError("The path to the field is empty", option="field")
    return (text,) if version.upper() == "V1" else tuple(_nested(text))


def _nested(text: str) -> list[str]:
    steps: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == "`":
            step, at = _quoted(text, at)
        else:
            end = text.find(".", at)
            end = len(text) if end < 0 else end
            step, at = text[at:end], end + 1
        steps.append(step)
    if text.endswith("."):
        steps.append("")
    return steps


def _quoted(text: str, opening: int) -> tuple[str, int]:
    """The name between backticks, and where the text goes on; a backtick ends it only before a dot or the end."""
    name, start = "", opening + 1
    at = start
    while True:
        at = text.find("`", at)
        if at < 0:
            raise _unpaired(text, opening)
        escaped = text[at - 1] == "\\"
        if at == len(text) - 1:
            if escaped:
                raise _unpaired(text, opening)
            return name + text[start:at], at + 1
        if text[at + 1] != ".":
            at += 1
        elif escaped:
            name += text[start : at - 1] + "`"
            at += 1
            start = at
        else:
            return name + text[start:at], at + 2


def _unpaired(text: str, at: int) -> ConfigError:
    return ConfigError(
        f"Incomplete backtick pair in path: [{text}], consider adding a backslash before backtick at position "
        f"{at} to escape it",
        option="field",
    )


def schema_at(schema: Schema, path: tuple[str, ...]) -> Schema | None:
    """The schema of the field at a path, or None when there is no such field.

    Raises:
        DataError: something on the way is no struct.
    """
    current = schema
    for step in path:
        if current.type is not SchemaType.STRUCT:
            raise DataError("Cannot look up fields on non-struct type")
        field = current.field(step)
        if field is None:
            return None
        current = field.schema
    return current


def value_at(struct: Struct, path: tuple[str, ...], *, defaults: bool) -> Any:
    """The value at a path that the schema has; null where something on the way is."""
    current: Struct | None = struct
    for step in path[:-1]:
        assert current is not None
        current = current.get_without_default(step)
        if current is None:
            return None
    assert current is not None
    return current.get(path[-1]) if defaults else current.get_without_default(path[-1])


def map_value_at(values: dict[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path through maps; null where a map on the way is missing.

    Raises:
        DataError: something on the way is no map.
    """
    current = values
    for step in path[:-1]:
        found = current.get(step)
        if found is None:
            return None
        current = require_map(found, _PURPOSE)
    return current.get(path[-1])
