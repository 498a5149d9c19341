"""Postgres as the command line sees it: inventory, preflight, connector configuration, verification, clean-up.

Implements `replicator.api.database.SourceDatabase` (C25). Constructed with a URL; connects on first
use, so that a wrong URL is reported as a ConfigError. Used by one thread.
"""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from connectors.postgres import canonical, inventory, longest_keys, preflight
from connectors.postgres.config import CONFIG
from connectors.postgres.connection import LIBPQ_OPTIONS, Connector, PlainConnection
from connectors.postgres.errors import translate, translated
from connectors.postgres.preflight_publications import quoted
from connectors.postgres.types import TypeOptions
from replicator.api.database import Canonical, Keys, Problem, TableInfo
from replicator.api.errors import ConfigError, ConnectError

_SYNC_OPTIONS = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "tasks.max": "1",
    "plugin.name": "pgoutput",
    "publication.autocreate.mode": "filtered",
    "publish.via.partition.root": "true",
    "snapshot.mode": "initial",
    "tombstones.on.delete": "false",
    "skipped.operations": "none",
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "interval.handling.mode": "string",
    "binary.handling.mode": "bytes",
    "hstore.handling.mode": "json",
    "array.handling.mode": "json",
    "geometry.handling.mode": "text",
    "varbit.handling.mode": "text",
    "include.unknown.datatypes": "true",
    "datatype.propagate.source.type": ".+",
    "extended.headers.enabled": "false",
    "heartbeat.interval.ms": "10000",
    "snapshot.chunk.rows": "50000",
    "max.queue.size": "4096",
    "max.batch.size": "2000",
}
_CHANGES_OF = """
SELECT wanted.name, sum(s.n_tup_upd + s.n_tup_del)::int8
  FROM unnest(%s::text[]) AS wanted (name) JOIN pg_stat_user_tables s ON s.relid = wanted.name::regclass
    OR s.relid IN (SELECT relid FROM pg_partition_tree(wanted.name::regclass))
 GROUP BY 1
"""
_RUNNING = (
    "SELECT txid_snapshot_xmin(s), txid_snapshot_xmax(s) FROM (SELECT txid_current_snapshot() AS s) AS now"
)
CHECKPOINT_PREFIX = "replicator.checkpoint"


class PostgresDatabase:
    """A Postgres source named by a URL."""

    schemes = ("postgresql", "postgres")

    def __init__(self, url: str) -> None:
        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # libpq's message repeats the URL, password included.
            raise ConfigError(
                "The source URL is not valid.",
                option="SOURCE_URL",
                hint="Write postgresql://user:password@host:5432/database; percent-encode special characters.",
            ) from None
        self._options = _SYNC_OPTIONS | {"topic.prefix": "replicator"} | _connection_options(parts)
        self._connector = Connector(CONFIG.parse(self._options))
        self._open: PlainConnection | None = None
        self._idle: list[PlainConnection] = []
        self._unmeasured: list[TableInfo] = []
        self._newest = 0

    @property
    def _connection(self) -> PlainConnection:
        if self._open is None or self._open.closed:
            self._open = self._connector.plain("command")
        return self._open

    def describe(self) -> str:
        """`PostgreSQL 15.3 at host:port/db`."""
        info = self._connection.info
        version = info.parameter_status("server_version") or ""
        return f"PostgreSQL {version.split(' ')[0]} at {info.host}:{info.port}/{info.dbname}"

    def tables(self, include: Sequence[str], exclude: Sequence[str]) -> list[TableInfo]:
        """Tables matching the globs, each column with the schema the connector will emit."""
        try:
            return inventory.read(
                self._connection, include, exclude, TypeOptions.from_config(CONFIG.parse(self._options))
            )
        except psycopg.Error as error:
            raise translate(error) from error

    def names(self, include: Sequence[str], exclude: Sequence[str]) -> list[str]:
        """See `SourceDatabase.names`."""
        return inventory.names(self._connection, include, exclude)

    def quiet(self) -> bool:
        """See `SourceDatabase.quiet`."""
        with translated("looking for old transactions"):
            row = self._connection.execute(_RUNNING).fetchone()
        oldest, newest = row or (0, 0)
        before, self._newest = self._newest, int(newest)
        return int(oldest) >= before

    def measured(self, tables: Sequence[TableInfo]) -> list[TableInfo]:
        """See `SourceDatabase.measured`."""
        with translated("measuring the longest keys"):
            self._unmeasured, longest = longest_keys.measure(self._connection, tables)
        return [_with_lengths(table, longest.get(table.full_name, {})) for table in tables]

    def preflight(self, tables: Sequence[TableInfo], name: str) -> list[Problem]:
        """See `SourceDatabase.preflight`."""
        with translated("checking the source"):
            found = preflight.check(self._connection, tables, name)
        return found + [longest_keys.unmeasured(table) for table in self._unmeasured]

    def connector_config(self, tables: Sequence[TableInfo], name: str) -> dict[str, str]:
        """See `SourceDatabase.connector_config`."""
        return self._options | {
            "topic.prefix": name,
            "slot.name": f"replicator_{name}",
            "publication.name": f"replicator_{name}",
            "message.prefix.include.list": re.escape(CHECKPOINT_PREFIX),
            "table.include.list": ",".join(_exactly(t.schema) + r"\." + _exactly(t.name) for t in tables),
        }

    def position(self) -> int:
        """Current end of the log, as an integer LSN."""
        with translated("reading the log's position"):
            row = self._connection.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetchone()
        return int(row[0]) if row else 0

    def checkpoint(self, name: str) -> int:
        """Emit a logical message; the stream has passed everything before it once it has passed this."""
        query = "SELECT (pg_logical_emit_message(true, %s, %s) - '0/0')::bigint"
        with translated("writing a checkpoint to the log"):
            row = self._connection.execute(query, [CHECKPOINT_PREFIX, name]).fetchone()
        return int(row[0]) if row else 0

    def diverged(self, tables: Sequence[TableInfo]) -> dict[str, str]:
        """Tables without replica identity that saw updates or deletes (C4)."""
        without = {f"{quoted(t.schema)}.{quoted(t.name)}": t for t in tables if t.identity == "none"}
        if not without:
            return {}
        with translated("reading statistics"):
            rows = self._connection.execute(_CHANGES_OF, [list(without)]).fetchall()
        return {
            without[
                name
            ].full_name: f"no replica identity, and {count} updates or deletes since the statistics began"
            for name, count in rows
            if count
        }

    def rows(self, table: TableInfo, columns: Sequence[str], keys: Keys | None = None) -> Iterator[Canonical]:
        """See `SourceDatabase.rows`; on a connection of its own, so that two tables can be read at once."""
        connection = self._idle.pop() if self._idle else self._connector.plain("verify")
        try:
            yield from canonical.rows(connection, table, columns, keys)
        except psycopg.Error as error:
            raise translate(error) from error
        finally:
            if connection.info.transaction_status == TransactionStatus.IDLE:
                self._idle.append(connection)
            else:
                connection.close()

    def clean(self, name: str, *, dry_run: bool = False) -> list[str]:
        """Drop the slot first, then the publications (C3)."""
        with translated("cleaning"):
            return self._clean(name, dry_run=dry_run)

    def _clean(self, name: str, *, dry_run: bool) -> list[str]:
        slot = f"replicator_{name}"
        done = []
        row = self._connection.execute(
            "SELECT active_pid, pg_size_pretty(pg_current_wal_lsn() - restart_lsn) FROM pg_replication_slots"
            " WHERE slot_name = %s",
            [slot],
        ).fetchone()
        if row is not None:
            if row[0] is not None:
                raise ConnectError(
                    f"Slot {slot} is in use by the walsender with pid {row[0]}.",
                    hint="Stop the pipeline first.",
                )
            if not dry_run:
                self._connection.execute("SELECT pg_drop_replication_slot(%s)", [slot])
            done.append(f"replication slot {slot} (it held back {row[1]} of log)")
        for publication in (slot, f"{slot}_append"):
            found = self._connection.execute(
                "SELECT FROM pg_publication WHERE pubname = %s", [publication]
            ).fetchone()
            if found is not None:
                if not dry_run:
                    self._connection.execute(
                        sql.SQL("DROP PUBLICATION {}").format(sql.Identifier(publication))
                    )
                done.append(f"publication {publication}")
        return done

    def close(self) -> None:
        """Release the connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        if self._open is not None:
            self._open.close()
            self._open = None


_PROTECTING: Final = frozenset(
    ("sslcrl", "sslcrldir", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version",
     "channel_binding", "gssencmode", "require_auth", "requirepeer")
)  # fmt: skip
"""Parameters of libpq that make a connection safer: to pass one over in silence would deceive."""


def _connection_options(parts: Mapping[str, Any]) -> dict[str, str]:
    """The connector's options for the parts of a URL.

    Raises:
        ConfigError: the URL lacks a part that must not be guessed.
    """
    if not parts.get("dbname"):
        raise ConfigError(
            "The source URL names no database.",
            option="SOURCE_URL",
            hint="Write postgresql://user@host:5432/database.",
        )
    dropped = sorted(_PROTECTING & set(parts))
    if dropped:
        raise ConfigError(
            f"Parameters of the source URL that the connector does not know: {', '.join(dropped)}.",
            option="SOURCE_URL",
            hint=f"It knows {', '.join(n for n in LIBPQ_OPTIONS if n.startswith('ssl'))}.",
        )
    given = {option: str(parts[name]) for name, option in LIBPQ_OPTIONS.items() if parts.get(name)}
    return {"database.hostname": "localhost", "database.user": getpass.getuser()} | given


def _with_lengths(table: TableInfo, longest: Mapping[str, int]) -> TableInfo:
    if not longest:
        return table
    columns = tuple(replace(c, max_length=longest.get(c.name, c.max_length)) for c in table.columns)
    return replace(table, columns=columns)


def _exactly(name: str) -> str:
    """A regular expression for one name; commas separate patterns, so they are written as a class."""
    return re.escape(name).replace(",", r"\x2c")
