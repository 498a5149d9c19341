"""What may be called on texts, lists, maps and numbers in expressions, and the functions of classes. Pure.

Only what stands in the tables here and in `expression_structs` can be reached: no attribute of a Python object, no
import, no side effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from connectors.cdc.expression_operators import compiled, matches
from connectors.cdc.expression_values import contains, equal, text, truth
from replicator.api.java_regex import replacement

Method = Callable[..., Any]


def _substring(value: str, start: int, end: int | None = None) -> str:
    stop = len(value) if end is None else end
    if not 0 <= start <= stop <= len(value):
        raise IndexError(f"begin {start}, end {stop}, length {len(value)}")
    return value[start:stop]


def _replace_all(value: str, pattern: str, new: str) -> str:
    found = compiled(pattern)
    return found.sub(replacement(new, found), value)


def _replace_first(value: str, pattern: str, new: str) -> str:
    found = compiled(pattern)
    return found.sub(replacement(new, found), value, count=1)


def _split(value: str, pattern: str, limit: int = 0) -> list[str]:
    parts = compiled(pattern).split(value, max(limit - 1, 0))
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


TEXT: Final[dict[str, Method]] = {
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

LIST: Final[dict[str, Method]] = {
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

MAP: Final[dict[str, Method]] = {
    "size": len,
    "isEmpty": lambda values: not values,
    "get": lambda values, key, default=None: values.get(key, default),
    "getOrDefault": lambda values, key, default: values.get(key, default),
    "containsKey": lambda values, key: key in values,
    "containsValue": lambda values, value: contains(list(values.values()), value),
    "keySet": lambda values: list(values),
    "values": lambda values: list(values.values()),
}

NUMBER: Final[dict[str, Method]] = {
    "intValue": int,
    "longValue": int,
    "toInteger": int,
    "toLong": int,
    "doubleValue": float,
    "toDouble": float,
    "abs": abs,
}

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
