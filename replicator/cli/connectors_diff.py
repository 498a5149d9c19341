"""Differences between configurations, and what of them may be shown. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from replicator.api.option_types import HIDDEN

_SECRET: Final = re.compile(
    r"passw(or)?d|secret|credential|sasl\.jaas\.config|private[._-]?key|api[._-]?key|access[._-]?key|token$|"
    r"basic\.auth\.user\.info",
    re.IGNORECASE,
)
_PLACEHOLDER: Final = re.compile(r"(\$\{[^}]*\})+")


@dataclass(frozen=True, slots=True)
class Change:
    """One option: None stands for "not there"."""

    option: str
    before: str | None
    after: str | None

    def lines(self) -> list[str]:
        """As a difference, secrets hidden."""
        shown = []
        if self.before is not None:
            shown.append(f"- {self.option}={shown_value(self.option, self.before)}")
        if self.after is not None:
            shown.append(f"+ {self.option}={shown_value(self.option, self.after)}")
        return shown


def shown_value(option: str, value: str) -> str:
    """The value, or `[hidden]` for secrets that are no placeholders."""
    if _SECRET.search(option) and not _PLACEHOLDER.fullmatch(value):
        return HIDDEN
    return value


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[list[Change], list[str]]:
    """Options that differ, by name, and those whose present value the worker hides."""
    changes: list[Change] = []
    unknown: list[str] = []
    for option in sorted({*before, *after}):
        old, new = before.get(option), after.get(option)
        if old == new:
            continue
        if old is not None and new is not None and HIDDEN in old:
            unknown.append(option)
        else:
            changes.append(Change(option, old, new))
    return changes, unknown
