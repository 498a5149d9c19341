"""What values are in expressions: their text, their truth, what equals what and which comes first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from replicator.api.schema import Schema
from replicator.api.struct import Struct


class EvaluationProblem(Exception):
    """The expression cannot be evaluated for a record."""


class HeaderValue(NamedTuple):
    """A header as expressions see it."""

    value: Any
    schema: Any


def class_name(value: Any) -> str:
    """Java's name of the class of a value, for messages."""
    if isinstance(value, bool):
        return "java.lang.Boolean"
    known: dict[type, str] = {
        str: "java.lang.String",
        int: "java.lang.Long",
        float: "java.lang.Double",
        Decimal: "java.math.BigDecimal",
        list: "java.util.ArrayList",
        dict: "java.util.LinkedHashMap",
        Struct: "org.apache.kafka.connect.data.Struct",
        Schema: "org.apache.kafka.connect.data.ConnectSchema",
    }
    return known.get(type(value), type(value).__name__)


def text(value: Any) -> str:
    """Groovy's text of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(text(v) for v in value)}]"
    if isinstance(value, dict):
        return f"[{', '.join(f'{text(k)}:{text(v)}' for k, v in value.items())}]"
    if isinstance(value, Struct):
        return f"Struct{{{','.join(f'{k}={text(v)}' for k, v in value if v is not None)}}}"
    return str(value)


def truth(value: Any) -> bool:
    """Groovy's truth: null, zero and what is empty is false."""
    if isinstance(value, (Struct, Schema, HeaderValue)):
        return True
    return bool(value)


def is_number(value: Any) -> bool:
    """Whether a value takes part in arithmetic."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def matched(left: Any, right: Any) -> tuple[Any, Any]:
    """Two numbers as two of one type."""
    if isinstance(left, float) or isinstance(right, float):
        return float(left), float(right)
    return left, right


def equal(left: Any, right: Any) -> bool:
    """`==`; numbers of all types compare by value."""
    if is_number(left) and is_number(right):
        one, other = matched(left, right)
        return bool(one == other)
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    return bool(left == right)


def compare(left: Any, right: Any) -> int:
    """`<=>`; null comes before everything."""
    if left is None or right is None:
        return (left is not None) - (right is not None)
    if is_number(left) and is_number(right):
        left, right = matched(left, right)
    elif type(left) is not type(right) or isinstance(left, (list, dict, Struct, Schema)):
        raise EvaluationProblem(f"Cannot compare {class_name(left)} with {class_name(right)}")
    return int(left > right) - int(left < right)


def contains(container: Any, value: Any) -> bool:
    """`value in container`."""
    if isinstance(container, dict):
        return value in container
    if isinstance(container, list):
        return any(equal(value, element) for element in container)
    return False if container is None else equal(value, container)


CLASSES: Final[Mapping[str, Any]] = {
    "Object": object,
    "String": str,
    "Boolean": bool,
    "Number": (int, float, Decimal),
    "Integer": int,
    "Long": int,
    "Double": float,
    "Float": float,
    "BigDecimal": Decimal,
    "List": list,
    "Map": dict,
    "Struct": Struct,
}
"""What may stand behind `instanceof`."""


def is_instance(value: Any, class_: str) -> bool:
    """`value instanceof class_`."""
    if value is None or (isinstance(value, bool) and class_ not in ("Boolean", "Object")):
        return False
    return isinstance(value, CLASSES[class_])
