"""What each construct of an expression becomes: a function of the record's variables. Pure.

Made once, when the expression is read, and run for each record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.cdc.expression_members import call, get_property
from connectors.cdc.expression_values import is_instance, truth

Scope = Mapping[str, Any]
Run = Callable[[Scope], Any]


def constant(value: Any) -> Run:
    return lambda scope: value


def any_of(runs: list[Run]) -> Run:
    if len(runs) == 2:
        left, right = runs
        return lambda scope: truth(left(scope)) or truth(right(scope))
    return lambda scope: any(truth(run(scope)) for run in runs)


def all_of(runs: list[Run]) -> Run:
    if len(runs) == 2:
        left, right = runs
        return lambda scope: truth(left(scope)) and truth(right(scope))
    return lambda scope: all(truth(run(scope)) for run in runs)


def applied(operation: Callable[[Any, Any], Any], left: Run, right: Run) -> Run:
    return lambda scope: operation(left(scope), right(scope))


def instance(run: Run, class_: str) -> Run:
    return lambda scope: is_instance(run(scope), class_)


def property_of(target: Run, name: str, *, safe: bool) -> Run:
    get = get_property
    if safe:
        return lambda scope: None if (found := target(scope)) is None else get(found, name)
    return lambda scope: get(target(scope), name)


def call_of(target: Run, name: str, arguments: list[Run], *, safe: bool) -> Run:
    def run(scope: Scope) -> Any:
        found = target(scope)
        if found is None and safe:
            return None
        return call(found, name, [argument(scope) for argument in arguments])

    return run
