"""Selection: which schemas, tables and columns a source captures.

Debezium's include and exclude lists: comma-separated Java regular expressions, anchored at both ends,
not case-sensitive. Immutable after construction; answers are remembered by the callers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from replicator.api import ConfigError

SYSTEM_SCHEMAS: Final = re.compile(r"pg_catalog|information_schema|pg_toast.*|pg_temp.*", re.IGNORECASE)

_COMMA = re.compile(r"(?<!\\),")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z])")


class Patterns:
    """A list of regular expressions; a name matches when one of them matches all of it."""

    __slots__ = ("_pattern", "texts")

    def __init__(self, option: str, value: Any) -> None:
        self.texts = split_patterns(value)
        self._pattern = _compile(option, self.texts)

    def __bool__(self) -> bool:
        return self._pattern is not None

    def match(self, name: str) -> bool:
        """Whether one expression matches the whole name."""
        return self._pattern is not None and self._pattern.fullmatch(name) is not None


def split_patterns(value: Any) -> list[str]:
    """The expressions of an option's value; a comma inside one is written with a backslash."""
    if value is None:
        return []
    parts: Iterable[str] = _COMMA.split(value) if isinstance(value, str) else value
    return [part.strip().replace("\\,", ",") for part in parts if part.strip()]


def _compile(option: str, texts: list[str]) -> re.Pattern[str] | None:
    if not texts:
        return None
    for text in texts:
        try:
            re.compile(python_pattern(text))
        except re.error as error:
            raise ConfigError(
                f"Invalid regular expression {text!r} for {option}: {error}", option=option
            ) from None
    return re.compile("|".join(f"(?:{python_pattern(text)})" for text in texts), re.IGNORECASE)


def python_pattern(java: str) -> str:
    """A Java regular expression in Python's words: quoting and named groups differ."""
    return _NAMED_GROUP.sub("(?P<", _QUOTED.sub(lambda m: re.escape(m[1]), java))


class Selection:
    """What is captured, as the six include and exclude lists say.

    Raises:
        ConfigError: both lists of a pair are set, or an expression is wrong.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._schemas = _pair(config, "schema")
        self._tables = _pair(config, "table")
        self._columns = _pair(config, "column")
        self._signals = config.get("signal.data.collection")

    def schema(self, schema: str) -> bool:
        """Whether a schema may have captured tables."""
        return not SYSTEM_SCHEMAS.fullmatch(schema) and _selected(self._schemas, schema)

    def table(self, schema: str, name: str) -> bool:
        """Whether a table is captured; the table of signals always is."""
        if f"{schema}.{name}" == self._signals:
            return True
        return self.schema(schema) and _selected(self._tables, f"{schema}.{name}")

    def column(self, schema: str, table: str, column: str) -> bool:
        """Whether a column is part of the row; a key column stays in the key regardless."""
        return _selected(self._columns, f"{schema}.{table}.{column}")


def _pair(config: Mapping[str, Any], what: str) -> tuple[Patterns, Patterns]:
    include = Patterns(f"{what}.include.list", config.get(f"{what}.include.list"))
    exclude = Patterns(f"{what}.exclude.list", config.get(f"{what}.exclude.list"))
    if include and exclude:
        raise ConfigError(
            f"{what}.include.list and {what}.exclude.list cannot be used together",
            option=f"{what}.exclude.list",
        )
    return include, exclude


def _selected(pair: tuple[Patterns, Patterns], name: str) -> bool:
    include, exclude = pair
    if include:
        return include.match(name)
    return not exclude.match(name)


class KeyColumns:
    """`message.key.columns`: keys of the user's choice, `table:column,column;table:column`.

    The table is a regular expression; the order of the columns is the order of the key.

    Raises:
        ConfigError: an entry has another form.
    """

    def __init__(self, value: str | None) -> None:
        self._entries: list[tuple[Patterns, tuple[str, ...]]] = []
        for entry in (value or "").split(";"):
            if not entry.strip():
                continue
            table, colon, columns = entry.strip().rpartition(":")
            names = tuple(c.strip() for c in columns.split(",") if c.strip())
            if not colon or not table or not names:
                raise ConfigError(
                    f"Invalid entry {entry!r} in message.key.columns", option="message.key.columns"
                )
            self._entries.append((Patterns("message.key.columns", [table]), names))

    def of(self, schema: str, table: str) -> tuple[str, ...] | None:
        """Names of the key's columns, or None when the table keeps its own key."""
        for patterns, names in self._entries:
            if patterns.match(f"{schema}.{table}"):
                return names
        return None
