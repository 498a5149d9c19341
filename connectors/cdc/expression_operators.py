"""What the binary operators of expressions do, and how closely they bind. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any, Final

from connectors.cdc.expression_values import (
    EvaluationProblem,
    class_name,
    compare,
    contains,
    equal,
    is_number,
    matched,
    text,
)
from replicator.api.java_regex import compile_java


def _numbers(operator: str, left: Any, right: Any) -> tuple[Any, Any]:
    if not (is_number(left) and is_number(right)):
        raise EvaluationProblem(f"No operator {operator} for {class_name(left)} and {class_name(right)}")
    left, right = matched(left, right)
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


def matches(value: Any, pattern: Any) -> bool:
    """`==~`: the whole text matches."""
    return compiled(pattern).fullmatch(text(value)) is not None


def finds(value: Any, pattern: Any) -> bool:
    """`=~` as a condition: some part matches."""
    return compiled(pattern).search(text(value)) is not None


def compiled(pattern: Any) -> re.Pattern[str]:
    try:
        return compile_java(text(pattern))
    except re.error as error:
        raise EvaluationProblem(f"'{pattern}' is no regular expression: {error}") from None


def _range(left: Any, right: Any) -> list[int]:
    if not (isinstance(left, int) and isinstance(right, int)) or abs(right - left) > 10_000:
        raise EvaluationProblem("A range needs two whole numbers that are not far apart")
    return list(range(left, right + 1)) if left <= right else list(range(left, right - 1, -1))


def _ordered(test: Callable[[int], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: test(compare(left, right))


LEVELS: Final[tuple[dict[str, Callable[[Any, Any], Any]], ...]] = (
    {
        "==": equal,
        "===": equal,
        "!=": lambda left, right: not equal(left, right),
        "!==": lambda left, right: not equal(left, right),
        "=~": finds,
        "==~": matches,
        "<=>": compare,
    },
    {
        "<": _ordered(lambda order: order < 0),
        "<=": _ordered(lambda order: order <= 0),
        ">": _ordered(lambda order: order > 0),
        ">=": _ordered(lambda order: order >= 0),
        "in": lambda left, right: contains(right, left),
        "!in": lambda left, right: not contains(right, left),
    },
    {"..": _range},
    {"+": add, "-": subtract},
    {"*": multiply, "/": divide, "%": remainder},
)
"""Binary operators, those that bind least first (logical ones apart: they do not evaluate both sides)."""
