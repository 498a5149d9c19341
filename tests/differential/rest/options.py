"""Recorded definitions of Java connectors' options: everything of ConfigInfos but the documentation.

A file has a line for each option of `PUT /connector-plugins/P/config/validate`: the connector, then the values of
FIELDS, as Debezium 3.6 in a worker of Connect 4.3 answers for the configuration of `asked`. Another answer becomes a
file by `python -m tests.differential.rest.options URL > tests/golden/rest/debezium_options.jsonl`.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any, Final

POSTGRES: Final = "io.debezium.connector.postgresql.PostgresConnector"
JDBC: Final = "io.debezium.connector.jdbc.JdbcSinkConnector"
FIELDS: Final = (
    "name", "type", "required", "default_value", "importance", "group", "order", "width", "display_name",
    "dependents", "recommended_values", "visible",
)  # fmt: skip
_PLUGINS: Final = ("converter", "plugin.version")
"""Ends of options whose defaults and recommended values are the worker's plugins."""

_LABEL: Final = 100
"""Characters of a label that count: one of them is a paragraph."""


def asked(connector: str) -> dict[str, str]:
    """A configuration without errors, but that nobody listens there."""
    config = {"name": "asked", "connector.class": connector}
    if connector == JDBC:
        return config | {
            "topics": "t",
            "connection.url": "jdbc:mysql://127.0.0.1:1/d",
            "connection.username": "u",
        }
    database = {"hostname": "127.0.0.1", "port": "1", "user": "u", "password": "x", "dbname": "d"}
    return config | {"topic.prefix": "p"} | {f"database.{name}": value for name, value in database.items()}


def rows(infos: dict[str, Any]) -> Iterator[list[Any]]:
    """The values of FIELDS, option by option; what the order of a hash says is sorted."""
    for entry in infos["configs"]:
        merged = {**entry["value"], **entry["definition"]}
        merged.setdefault("order", merged.get("order_in_group"))
        merged["recommended_values"] = sorted(merged["recommended_values"])
        merged["display_name"] = merged["display_name"][:_LABEL]
        if merged["name"].endswith(_PLUGINS):
            merged |= {"default_value": None, "recommended_values": []}
        yield [merged[field] for field in FIELDS]


def main(url: str) -> None:
    """Print what a Java worker answers."""
    for connector in (POSTGRES, JDBC):
        request = urllib.request.Request(
            f"{url}/connector-plugins/{connector}/config/validate",
            json.dumps(asked(connector)).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            for row in rows(json.load(answer)):
                print(json.dumps([connector, *row], ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1])
