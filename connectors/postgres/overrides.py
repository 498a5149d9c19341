"""Queries of the user's own for the copy of some tables (`snapshot.select.statement.overrides`). Immutable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.cdc.selection import split_patterns
from replicator.api import ConfigError

OPTION: Final = "snapshot.select.statement.overrides"


def override_options(config: Mapping[str, Any]) -> dict[str, Any]:
    """The queries of a raw configuration: their options' names end with a table's name, so they are not declared."""
    return {k: v for k, v in config.items() if k.startswith(f"{OPTION}.")}


class Overrides:
    """Queries by table.

    Raises:
        ConfigError: a table of the list has no query.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._queries: dict[str, str] = {}
        for table in split_patterns(options.get(OPTION)):
            query = options.get(f"{OPTION}.{table}")
            if not query:
                raise ConfigError(
                    f"{OPTION} names {table}, but there is no query for it.",
                    option=OPTION,
                    hint=f"Set {OPTION}.{table}=SELECT ... FROM {table} WHERE ...",
                )
            self._queries[table] = str(query).strip().rstrip(";")

    def of(self, table: str) -> str | None:
        """The query for `schema.table`, or None."""
        return self._queries.get(table)
