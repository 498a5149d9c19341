"""Options listed as another program lists its own: order, groups, widths and labels from a table beside them.

A table has one line for each option, separated by tabs: name, group, order in the group, importance, width, label,
type shown, and for an option that is not declared its default and its choices: it is taken for compatibility, and
has no effect. Pure, used when a connector's module is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, Final

from replicator.api.config import ConfigDef, ConfigKey, Importance, Recommender, Width
from replicator.api.option_types import Type, parse_type
from replicator.api.validators import OneOf, one_of

WITHOUT_EFFECT: Final = "Kept for compatibility; without effect."


def listed(declared: ConfigDef, table: str, *, group: str, choices: bool = False) -> ConfigDef:
    """The options of the table in its order, then all others.

    Args:
        declared: the options that have a meaning here.
        table: text of the table, with a line of headings.
        group: where options go that the table does not know.
        choices: whether the values that an option can have are recommended.
    """
    rows = [line.split("\t") for line in table.splitlines()[1:]]
    keys = [_key(declared.keys.get(row[0]), row, choices) for row in rows]
    known = {k.name for k in keys}
    numbers = count(1 + max((k.order for k in keys if k.group == group), default=0))
    keys += _others(declared, known, group, numbers)
    return ConfigDef(*keys)


def _key(declared: ConfigKey | None, row: list[str], choices: bool) -> ConfigKey:
    name, group, order, importance, width, label, shown, default, values = [*row, "", "", ""][:9]
    found = declared or _without_effect(name, Type(shown), default, values)
    return replace(
        found,
        group=group,
        order=int(order),
        importance=Importance(importance),
        width=Width(width),
        display_name=label,
        shown_type=Type(shown),
        recommender=found.recommender or (_choices(found) if choices else None),
    )


def _without_effect(name: str, type_: Type, default: str, values: str) -> ConfigKey:
    validator = one_of(*values.split(","), ignore_case=True) if values else None
    value = parse_type(name, default, type_) if default else None
    return ConfigKey(name=name, type=type_, default=value, validator=validator, doc=WITHOUT_EFFECT)


def _choices(k: ConfigKey) -> Recommender | None:
    if not isinstance(k.validator, OneOf) or k.type is not Type.STRING:
        return None
    allowed = list(k.validator.allowed)

    def recommend(_name: str, _config: Mapping[str, Any]) -> list[Any]:
        return allowed

    return recommend


def _others(declared: ConfigDef, known: set[str], group: str, numbers: Iterator[int]) -> Iterator[ConfigKey]:
    for name, k in declared.keys.items():
        if name not in known:
            label = name.replace(".", " ").capitalize()
            yield replace(k, group=group, order=next(numbers), display_name=label)
