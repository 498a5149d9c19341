"""What operators, properties and methods do in expressions. Pure.

Only what stands in the tables here can be reached: no attribute of a Python object, no import, no side effect.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any, Final, NamedTuple

from replicator.api.errors import DataError
from replicator.api.java_regex import compile_java, replacement
from replicator.api.schema import Field, Schema, SchemaType
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


def equal(left: Any, right: Any) -> bool:
    """`==`; numbers of all types compare by value."""
    if is_number(left) and is_number(right):
        one, other = _matched(left, right)
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
        left, right = _matched(left, right)
    elif type(left) is not type(right) or isinstance(left, (list, dict, Struct, Schema)):
        raise EvaluationProblem(f"Cannot compare {class_name(left)} with {class_name(right)}")
    return int(left > right) - int(left < right)


def _matched(left: Any, right: Any) -> tuple[Any, Any]:
    """Two numbers as two of one type."""
    if isinstance(left, float) or isinstance(right, float):
        return float(left), float(right)
    return left, right


def _numbers(operator: str, left: Any, right: Any) -> tuple[Any, Any]:
    if not (is_number(left) and is_number(right)):
        raise EvaluationProblem(f"No operator {operator} for {class_name(left)} and {class_name(right)}")
    left, right = _matched(left, right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return Decimal(left), Decimal(right)
    return left, right


def add(left: Any, right: Any) -> Any:
    """`+`: numbers, texts with anything, lists."""
    if isinstance(left, str) or isinstance(right, str):
        return text(left) + text(right)
    if isinstance(left, list):
        return [*left, *(right if isinstance(right, list) else [right])]
    one, other = _numbers("+", left, right)
    return one + other


def subtract(left: Any, right: Any) -> Any:
    """`-`."""
    if isinstance(left, str):
        return left.replace(text(right), "", 1)
    one, other = _numbers("-", left, right)
    return one - other


def multiply(left: Any, right: Any) -> Any:
    """`*`."""
    one, other = _numbers("*", left, right)
    return one * other


def divide(left: Any, right: Any) -> Any:
    """`/`; whole numbers give a decimal, as in Groovy."""
    one, other = _numbers("/", left, right)
    if isinstance(one, int):
        one, other = Decimal(one), Decimal(other)
    try:
        return one / other
    except (ZeroDivisionError, DivisionByZero, InvalidOperation):
        raise EvaluationProblem("Division by zero") from None


def remainder(left: Any, right: Any) -> Any:
    """`%`, with the sign of the left side."""
    one, other = _numbers("%", left, right)
    if other == 0:
        raise EvaluationProblem("Division by zero")
    if isinstance(one, int):
        return int(math.copysign(1, one)) * (abs(one) % abs(other))
    return math.fmod(one, other) if isinstance(one, float) else one % other


def contains(container: Any, value: Any) -> bool:
    """`value in container`."""
    if isinstance(container, dict):
        return value in container
    if isinstance(container, list):
        return any(equal(value, element) for element in container)
    return False if container is None else equal(value, container)


def matches(value: Any, pattern: Any) -> bool:
    """`==~`: the whole text matches."""
    return _compiled(pattern).fullmatch(text(value)) is not None


def finds(value: Any, pattern: Any) -> bool:
    """`=~` as a condition: some part matches."""
    return _compiled(pattern).search(text(value)) is not None


def _compiled(pattern: Any) -> re.Pattern[str]:
    try:
        return compile_java(text(pattern))
    except re.error as error:
        raise EvaluationProblem(f"'{pattern}' is no regular expression: {error}") from None


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


def struct_field(struct: Struct, name: str) -> Any:
    """A field of a struct, structs within lists as structs too."""
    try:
        value = struct.get(name)
    except DataError as error:
        raise EvaluationProblem(error.message) from None
    if type(value) is list:
        field = struct.schema.field(name)
        element = None if field is None else field.schema.value_schema
        if element is not None and element.type is SchemaType.STRUCT:
            return [Struct(element, v) if type(v) is dict else v for v in value]
    return value


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


def _substring(value: str, start: int, end: int | None = None) -> str:
    stop = len(value) if end is None else end
    if not 0 <= start <= stop <= len(value):
        raise IndexError(f"begin {start}, end {stop}, length {len(value)}")
    return value[start:stop]


def _replace_all(value: str, pattern: str, new: str) -> str:
    compiled = _compiled(pattern)
    return compiled.sub(replacement(new, compiled), value)


def _replace_first(value: str, pattern: str, new: str) -> str:
    compiled = _compiled(pattern)
    return compiled.sub(replacement(new, compiled), value, count=1)


def _split(value: str, pattern: str, limit: int = 0) -> list[str]:
    parts = _compiled(pattern).split(value, max(limit - 1, 0))
    while limit == 0 and len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _whole(value: Any) -> int:
    return int(value.strip()) if isinstance(value, str) else int(value)


def _is_numeric(value: str) -> bool:
    try:
        return Decimal(value.strip()).is_finite()
    except InvalidOperation:
        return False


def _at(values: list[Any], index: int) -> Any:
    if not 0 <= index < len(values):
        raise IndexError(f"Index {index} out of bounds for length {len(values)}")
    return values[index]


def _find_all(values: list[Any], test: Callable[[Any], Any]) -> list[Any]:
    return [value for value in values if truth(test(value))]


def _identity(value: Any) -> Any:
    return value


Method = Callable[..., Any]

_TEXT: Final[dict[str, Method]] = {
    "startsWith": lambda s, prefix: s.startswith(prefix),
    "endsWith": lambda s, suffix: s.endswith(suffix),
    "contains": lambda s, part: text(part) in s,
    "includes": lambda s, part: part in s,
    "matches": matches,
    "equalsIgnoreCase": lambda s, other: isinstance(other, str) and s.lower() == other.lower(),
    "toLowerCase": lambda s: s.lower(),
    "toUpperCase": lambda s: s.upper(),
    "capitalize": lambda s: s[:1].upper() + s[1:],
    "trim": lambda s: s.strip(),
    "strip": lambda s: s.strip(),
    "length": len,
    "size": len,
    "isEmpty": lambda s: not s,
    "isBlank": lambda s: not s.strip(),
    "substring": _substring,
    "indexOf": lambda s, part: s.find(part),
    "lastIndexOf": lambda s, part: s.rfind(part),
    "charAt": lambda s, index: _at(list(s), index),
    "concat": lambda s, other: s + other,
    "replace": lambda s, old, new: s.replace(old, new),
    "replaceAll": _replace_all,
    "replaceFirst": _replace_first,
    "split": _split,
    "tokenize": lambda s, separators=" \t\n": [p for p in re.split(f"[{re.escape(separators)}]", s) if p],
    "toInteger": _whole,
    "toLong": _whole,
    "toDouble": lambda s: float(s.strip()),
    "toBigDecimal": lambda s: Decimal(s.strip()),
    "toBoolean": lambda s: s.strip().lower() in ("true", "y", "1"),
    "isNumber": _is_numeric,
    "isInteger": lambda s: re.fullmatch(r"[+-]?\d+", s.strip()) is not None,
}
_LIST: Final[dict[str, Method]] = {
    "size": len,
    "isEmpty": lambda values: not values,
    "contains": contains,
    "includes": contains,
    "get": _at,
    "first": lambda values: _at(values, 0),
    "last": lambda values: _at(values, len(values) - 1),
    "indexOf": lambda values, v: next((i for i, e in enumerate(values) if equal(e, v)), -1),
    "join": lambda values, separator="": separator.join(text(v) for v in values),
    "any": lambda values, test=_identity: any(truth(test(v)) for v in values),
    "some": lambda values, test: any(truth(test(v)) for v in values),
    "every": lambda values, test=_identity: all(truth(test(v)) for v in values),
    "find": lambda values, test: next((v for v in values if truth(test(v))), None),
    "findAll": _find_all,
    "filter": _find_all,
    "collect": lambda values, change: [change(v) for v in values],
    "map": lambda values, change: [change(v) for v in values],
    "count": lambda values, test: len(_find_all(values, test)),
}
_MAP: Final[dict[str, Method]] = {
    "size": len,
    "isEmpty": lambda values: not values,
    "get": lambda values, key, default=None: values.get(key, default),
    "getOrDefault": lambda values, key, default: values.get(key, default),
    "containsKey": lambda values, key: key in values,
    "containsValue": lambda values, value: contains(list(values.values()), value),
    "keySet": lambda values: list(values),
    "values": lambda values: list(values.values()),
}


def _typed(*types: SchemaType) -> Method:
    def get(struct: Struct, name: str) -> Any:
        field = struct.schema.field(name)
        if field is not None and field.schema.type not in types:
            raise EvaluationProblem(f"Field '{name}' is not of type {types[0].name}")
        return struct_field(struct, name)

    return get


_STRUCT: Final[dict[str, Method]] = {
    "get": struct_field,
    "getWithoutDefault": lambda struct, name: struct.get_without_default(name),
    "schema": lambda struct: struct.schema,
    "getString": _typed(SchemaType.STRING),
    "getBoolean": _typed(SchemaType.BOOLEAN),
    "getInt8": _typed(SchemaType.INT8),
    "getInt16": _typed(SchemaType.INT16),
    "getInt32": _typed(SchemaType.INT32),
    "getInt64": _typed(SchemaType.INT64),
    "getFloat32": _typed(SchemaType.FLOAT32),
    "getFloat64": _typed(SchemaType.FLOAT64),
    "getStruct": _typed(SchemaType.STRUCT),
    "getArray": _typed(SchemaType.ARRAY),
    "getMap": _typed(SchemaType.MAP),
}


def _field(schema: Schema, name: str) -> Any:
    if schema.type is not SchemaType.STRUCT:
        raise EvaluationProblem("Cannot look up fields on non-struct type")
    return schema.field(name)


_SCHEMA_PROPERTIES: Final[dict[str, Method]] = {
    "name": lambda schema: schema.name,
    "version": lambda schema: schema.version,
    "doc": lambda schema: schema.doc,
    "type": lambda schema: schema.type.name,
    "optional": lambda schema: schema.optional,
    "defaultValue": lambda schema: schema.default,
    "parameters": lambda schema: dict(schema.parameters),
    "fields": lambda schema: list(schema.fields),
    "keySchema": lambda schema: schema.key_schema,
    "valueSchema": lambda schema: schema.value_schema,
}
_FIELD_PROPERTIES: Final[dict[str, Method]] = {
    "name": lambda field: field.name,
    "index": lambda field: field.index,
    "schema": lambda field: field.schema,
}
_HEADER_PROPERTIES: Final[dict[str, Method]] = {
    "value": lambda header: header.value,
    "schema": lambda header: header.schema,
}
_PROPERTIES: Final[Mapping[type, dict[str, Method]]] = {
    Schema: _SCHEMA_PROPERTIES,
    Field: _FIELD_PROPERTIES,
    HeaderValue: _HEADER_PROPERTIES,
    str: {"length": len},
    list: {"length": len},
}
_NUMBER: Final[dict[str, Method]] = {
    "intValue": int,
    "longValue": int,
    "toInteger": int,
    "toLong": int,
    "doubleValue": float,
    "toDouble": float,
    "abs": abs,
}
_ANY: Final[dict[str, Method]] = {
    "equals": equal,
    "toString": text,
    "compareTo": compare,
}
_METHODS: Final[tuple[tuple[Any, dict[str, Method]], ...]] = (
    (str, _TEXT),
    (Struct, _STRUCT),
    (dict, _MAP),
    (list, _LIST),
    (Schema, {**_SCHEMA_PROPERTIES, "field": _field, "isOptional": lambda schema: schema.optional}),
    (Field, _FIELD_PROPERTIES),
    (HeaderValue, _HEADER_PROPERTIES),
    ((int, float, Decimal), _NUMBER),
    (object, _ANY),
)
STATIC: Final[Mapping[str, Mapping[str, Method]]] = {
    "Integer": {"parseInt": _whole, "valueOf": _whole},
    "Long": {"parseLong": _whole, "valueOf": _whole},
    "Double": {"parseDouble": float, "valueOf": float},
    "Boolean": {
        "parseBoolean": lambda s: text(s).lower() == "true",
        "valueOf": lambda s: text(s).lower() == "true",
    },
    "String": {"valueOf": text},
    "Math": {"abs": abs, "max": max, "min": min},
}
"""The functions of classes that may be named."""

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
