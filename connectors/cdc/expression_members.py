"""`target.name`, `target[key]` and calls in expressions: which table answers for which kind of value. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from connectors.cdc.expression_methods import LIST, MAP, NUMBER, STATIC, TEXT, Method
from connectors.cdc.expression_structs import (
    FIELD_PROPERTIES,
    HEADER_PROPERTIES,
    SCHEMA,
    SCHEMA_PROPERTIES,
    STRUCT,
    struct_field,
)
from connectors.cdc.expression_values import EvaluationProblem, HeaderValue, class_name, compare, equal, text
from replicator.api.schema import Field, Schema
from replicator.api.struct import Struct

_PROPERTIES: Final[Mapping[type, dict[str, Method]]] = {
    Schema: SCHEMA_PROPERTIES,
    Field: FIELD_PROPERTIES,
    HeaderValue: HEADER_PROPERTIES,
    str: {"length": len},
    list: {"length": len},
}

_ANY: Final[dict[str, Method]] = {
    "equals": equal,
    "toString": text,
    "compareTo": compare,
}

_METHODS: Final[tuple[tuple[Any, dict[str, Method]], ...]] = (
    (str, TEXT),
    (Struct, STRUCT),
    (dict, MAP),
    (list, LIST),
    (Schema, SCHEMA),
    (Field, FIELD_PROPERTIES),
    (HeaderValue, HEADER_PROPERTIES),
    ((int, float, Decimal), NUMBER),
    (object, _ANY),
)


def get_property(target: Any, name: str) -> Any:
    """`target.name`."""
    if isinstance(target, Struct):
        return struct_field(target, name)
    if isinstance(target, dict):
        return target.get(name)
    if target is None:
        raise EvaluationProblem(f"Cannot get property '{name}' on null object")
    found = _PROPERTIES.get(type(target), {}).get(name)
    if found is not None:
        return found(target)
    if isinstance(target, list):
        return [get_property(element, name) for element in target]
    raise EvaluationProblem(f"No such property: {name} for class: {class_name(target)}")


def get_item(target: Any, key: Any) -> Any:
    """`target[key]`."""
    if isinstance(target, (list, str)) and isinstance(key, int):
        in_range = -len(target) <= key < len(target)
        if not in_range and isinstance(target, str):
            raise EvaluationProblem(f"String index out of range: {key}")
        return target[key] if in_range else None
    if isinstance(target, dict):
        return target.get(key)
    return get_property(target, text(key))


def call(target: Any, name: str, arguments: list[Any]) -> Any:
    """`target.name(arguments)`."""
    if target is None:
        raise EvaluationProblem(f"Cannot invoke method {name}() on null object")
    for kind, methods in _METHODS:
        method = methods.get(name)
        if method is not None and isinstance(target, kind):
            try:
                return method(target, *arguments)
            except TypeError:
                break
            except (ValueError, IndexError, ArithmeticError) as error:
                raise EvaluationProblem(f"{name}() failed: {error}") from None
    shown = ", ".join(class_name(a) for a in arguments)
    raise EvaluationProblem(f"No signature of method: {class_name(target)}.{name}({shown})")


def call_static(class_: str, name: str, arguments: list[Any]) -> Any:
    """`Class.name(arguments)` of the few classes there are."""
    function = STATIC.get(class_, {}).get(name)
    if function is None:
        raise EvaluationProblem(f"No such method: {class_}.{name}()")
    try:
        return function(*arguments)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise EvaluationProblem(f"{class_}.{name}() failed: {error}") from None
