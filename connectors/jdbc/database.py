"""MySQL and MariaDB as the command line sees them: preflight, sink configuration, verification, ledger.

Implements `replicator.api.database.TargetDatabase` (C25). The DDL that preflight plans is the DDL
the sink will run: both ask the dialect. Used by one thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from connectors.jdbc import canonical, preflight
from connectors.jdbc.dialects import TableName, TargetTable, dialect_for
from connectors.jdbc.evolution import evolve
from connectors.jdbc.url import parse_url
from replicator.api.database import Canonical, ColumnInfo, Keys, Problem, TableInfo, TablePair
from replicator.api.errors import ConfigError, StructuralError

LEDGER = "replicator_ledger"
_FOREIGN = re.compile(r"[^a-zA-Z0-9._-]")
"""Characters that a source's topic name does not keep."""


class MySqlDatabase:
    """A MySQL or MariaDB target named by a URL."""

    schemes = ("mysql", "mariadb")

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        if not self._url.database:
            raise ConfigError(
                "The target URL names no database.",
                option="TARGET_URL",
                hint="Write mysql://user@host:3306/database.",
            )
        self._dialect = dialect_for(self._url.kind)
        self._open: Any = None
        self._tables: dict[str, TargetTable | None] = {}
        self._has_ledger = False

    @property
    def _connection(self) -> Any:
        if self._open is None:
            self._open = self._dialect.connect(self._url, "replicator")
            self._recognise(self._version)
        return self._open

    @property
    def _version(self) -> str:
        return str(self._connection.query("SELECT version()")[0][0])

    def _recognise(self, version: str) -> None:
        """Speak to the server as what it is: a MariaDB is often named by a mysql:// URL."""
        kind = "mariadb" if "mariadb" in version.lower() else "mysql"
        if kind != self._url.kind:
            self._open.close()
            self._url = replace(self._url, kind=kind)
            self._dialect = dialect_for(kind)
            self._open = self._dialect.connect(self._url, "replicator")

    def describe(self) -> str:
        """`MySQL 9.7.4 at host:port/db`."""
        version = self._version
        kind = "MariaDB" if "mariadb" in version.lower() else "MySQL"
        number = version.split("-")[0]
        return f"{kind} {number} at {self._url.host}:{self._url.port}/{self._url.database}"

    def target_name(self, table: TableInfo) -> str:
        """`public` keeps the name, other schemas give `schema_table`."""
        return table.name if table.schema in ("public", "") else f"{table.schema}_{table.name}"

    def preflight(self, pairs: Sequence[TablePair], name: str) -> list[Problem]:
        """See `TargetDatabase.preflight`."""
        connection = self._connection
        self._tables.clear()
        # Once a table's copy has begun, what is there is ours.
        topics = {row["topic"] for row in self.ledger(name)}
        begun = frozenset(
            p.source.full_name for p in pairs if _FOREIGN.sub("_", f"{name}.{p.source.full_name}") in topics
        )
        return preflight.check(
            self._dialect, connection, self._url.database, pairs, self._describe, begun=begun
        )

    def connector_config(self, pairs: Sequence[TablePair], name: str, topic_prefix: str) -> dict[str, str]:
        """See `TargetDatabase.connector_config`."""
        url = self._url
        query = "&".join(f"{k}={v}" for k, v in url.options.items())
        host = f"[{url.host}]" if ":" in url.host else url.host
        return {
            "connector.class": "JdbcSink",
            "tasks.max": "1",
            "topics.regex": topic_prefix.replace(".", r"\.") + r"\..*",
            "connection.url": f"{url.kind}://{host}:{url.port}/{url.database}"
            + (f"?{query}" if query else ""),
            "connection.user": url.user,
            "connection.password": url.password.reveal(),
            "insert.mode": "upsert",
            "pk.mode": "record_key",
            "delete.enabled": "true",
            "truncate.enabled": "true",
            "auto.create": "true",
            "auto.evolve": "true",
            "table.naming": "source",
            "policy.unrepresentable": "null",
            "replace.null.with.default": "false",
            "consumer.override.max.poll.records": "3000",
            "transaction.max.rows": "8000",
        }

    def _describe(self, target_name: str) -> TargetTable | None:
        if target_name not in self._tables:
            self._tables[target_name] = self._dialect.describe_table(
                self._connection, TableName(None, target_name)
            )
        return self._tables[target_name]

    def _existing(self, pair: TablePair) -> TargetTable:
        self._tables.pop(pair.target_name, None)
        table = self._describe(pair.target_name)
        if table is None:
            raise StructuralError(f"Table {pair.target_name} does not exist in {self._url.database}")
        return table

    def compared_as(self, pair: TablePair) -> TablePair:
        """See `TargetDatabase.compared_as`: a JSON column keeps a document's value, not its text."""
        table = self._existing(pair)

        def adapted(column: ColumnInfo) -> ColumnInfo:
            found = table.column(column.name)
            by_value = found is not None and found.base == "json" and column.kind in ("json", "text")
            return replace(column, kind="jsonb") if by_value else column

        columns = tuple(adapted(c) for c in pair.source.columns)
        return replace(pair, source=replace(pair.source, columns=columns))

    def comparable(self, pair: TablePair) -> list[str]:
        """See `TargetDatabase.comparable`."""
        table = self._existing(pair)
        out = []
        for column in pair.source.columns:
            found = table.column(column.name)
            if found is not None and not found.generated and not column.generated:
                out.append(column.name)
        return out

    def missing(self, pair: TablePair) -> list[str]:
        """See `TargetDatabase.missing`."""
        table = self._existing(pair)
        captured = (c for c in pair.source.columns if not c.generated and c.schema is not None)
        return [c.name for c in captured if table.column(c.name) is None]

    def rows(self, pair: TablePair, columns: Sequence[str], keys: Keys | None = None) -> Iterator[Canonical]:
        """See `SourceDatabase.rows`; on a connection of its own."""
        table = self._describe(pair.target_name) or self._existing(pair)
        yield from canonical.rows(self._dialect, self._url, pair, table, columns, keys)

    def stored(self, column: ColumnInfo, canonical_value: bytes | None) -> bytes | None:
        """See `TargetDatabase.stored`."""
        return canonical.stored(self._dialect, column, canonical_value)

    def create_missing(self, pairs: Sequence[TablePair]) -> list[str]:
        """See `TargetDatabase.create_missing`; the sink may be making the same table at the same time."""
        connection = self._connection
        made = []
        for pair in pairs:
            name = TableName(None, pair.target_name)
            if self._dialect.describe_table(connection, name) is None:
                columns = (c for c in pair.source.columns if not c.generated)
                fields = [(c.name, c.schema) for c in columns if c.schema is not None]
                evolve(
                    self._dialect, connection, name, None, fields, pair.source.key, create=True, change=False
                )
                made.append(pair.target_name)
        connection.commit()
        return made

    def ledger(self, name: str) -> list[dict[str, Any]]:
        """Ledger rows of the pipeline's sink; empty when there is no ledger yet."""
        # Asked several times a second while a pipeline starts: the catalog is not to be read each time.
        if not self._has_ledger:
            self._has_ledger = (
                self._dialect.describe_table(self._connection, TableName(None, LEDGER)) is not None
            )
        self._connection.rollback()
        if not self._has_ledger:
            return []
        columns = ("topic", "partition_id", "next_offset", "position_phase", "position_commit", "updated_at")
        rows = self._connection.query(
            f"SELECT {', '.join(columns)} FROM {LEDGER} WHERE connector = %s", [f"{name}-sink"]
        )
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def clean(self, name: str, *, dry_run: bool = False) -> list[str]:
        """Remove the pipeline's ledger rows; the tables stay."""
        rows = self.ledger(name)
        if not rows:
            return []
        if not dry_run:
            self._connection.begin()
            self._connection.execute(f"DELETE FROM {LEDGER} WHERE connector = %s", [f"{name}-sink"])
            self._connection.commit()
        return [f"{len(rows)} ledger row(s) of {name}-sink in the target"]

    def close(self) -> None:
        """Release the connection."""
        if self._open is not None:
            self._open.close()
            self._open = None


class MariaDbDatabase(MySqlDatabase):
    """A MariaDB target; the dialect follows the URL's scheme."""
