"""A database of MySQL or MariaDB with the sink's dialect and a connection."""

from __future__ import annotations

from typing import Any

from connectors.jdbc.dialects import Connection, Dialect, TableName, dialect_for
from connectors.jdbc.url import parse_url
from replicator.api import Schema, SchemaType
from replicator.api import logical as names

INT = Schema(SchemaType.INT32)
LONG = Schema(SchemaType.INT64)
TEXT = Schema(SchemaType.STRING, optional=True)
T = TableName(None, "t")


def varchar(length: int, *, optional: bool = True) -> Schema:
    parameters = {names.SOURCE_TYPE_PARAMETER: "VARCHAR", names.SOURCE_LENGTH_PARAMETER: str(length)}
    return Schema(SchemaType.STRING, optional=optional, parameters=parameters)


class Target:
    """A database with its dialect and a session."""

    def __init__(self, kind: str, database: Any) -> None:
        self.database = database
        self.dialect: Dialect = dialect_for(kind)
        self.connection = self.connect()

    def connect(self) -> Connection:
        return self.dialect.connect(parse_url(self.database.url), "test")

    def make(self, fields: list[tuple[str, Schema]], keys: list[str], table: TableName = T) -> Any:
        self.connection.execute_text(
            self.dialect.create_table(table, self.dialect.plan_columns(fields, keys))
        )
        made = self.dialect.describe_table(self.connection, table)
        assert made is not None
        self.connection.commit()
        return made
