"""Options of Protobuf schemas, from their text into descriptors. Pure functions, any thread."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from replicator.api.errors import SchemaError
from replicator.converters.registry import proto_meta


class Text(str):
    """A string literal."""

    __slots__ = ()


def set_option(options: Any, names: list[str], value: Any, meta: str) -> None:
    """Set an option: one that descriptors know, an annotation, or kept as it is written.

    Raises:
        SchemaError: the value is not one for the option.
    """
    first = names[0].strip("()").lstrip(".")
    if first == f"confluent.{meta}" or (names[0].startswith("(") and first == meta):
        proto_meta.merge(options, names[1:], value)
        return
    known = options.DESCRIPTOR.fields_by_name.get(names[0]) if len(names) == 1 else None
    if known is not None and known.name != "uninterpreted_option" and not isinstance(value, (dict, list)):
        _set_known(options, known, value)
        return
    left = options.uninterpreted_option.add()
    for name in names:
        left.name.add(name_part=name.strip("()"), is_extension=name.startswith("("))
    if isinstance(value, Text):
        left.string_value = value.encode()
    elif isinstance(value, (bool, dict, list)):
        left.aggregate_value = print_value(value)
    elif isinstance(value, int):
        if value < 0:
            left.negative_int_value = value
        else:
            left.positive_int_value = value
    elif isinstance(value, float):
        left.double_value = value
    else:
        left.identifier_value = str(value)


def _set_known(options: Any, known: FieldDescriptor, value: Any) -> None:
    try:
        if known.enum_type is not None:
            setattr(options, known.name, known.enum_type.values_by_name[str(value)].number)
        elif known.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            setattr(options, known.name, str(value) == "true")
        else:
            setattr(options, known.name, str(value) if isinstance(value, str) else value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SchemaError(f"Invalid value {value!r} for option {known.name}") from error


def print_value(value: Any) -> str:
    """A constant in the text form of messages."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {print_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(print_value(v) for v in value) + "]"
    return quoted(value) if isinstance(value, Text) else str(value)


def quoted(text: str) -> str:
    """A string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
