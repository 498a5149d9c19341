"""Checks of a Postgres source before anything is created on it; every finding names its remedy.

Run by the command line. Nothing here changes the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from connectors.postgres import preflight_publications
from connectors.postgres.preflight_publications import quoted
from replicator.api.database import Problem, TableInfo

OLDEST = 13
"""Publications of partition roots need it."""


def check(connection: psycopg.Connection[Any], tables: Sequence[TableInfo], name: str) -> list[Problem]:
    """Everything that would keep a pipeline called `name` from reading these tables."""
    slot = f"replicator_{name}"
    return [
        *_version(connection),
        *_standby(connection),
        *_log_level(connection),
        *_encoding(connection),
        *_role(connection),
        *_slot(connection, slot),
        *_senders(connection, slot),
        *preflight_publications.check(connection, tables, slot),
        *_access(connection, tables),
        *_partitions(connection, tables),
        *_not_tables(connection, tables),
        *_retention(connection),
        *(problem for table in tables for problem in _table(table)),
    ]


def _version(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    number = connection.info.server_version
    if number < OLDEST * 10_000:
        yield Problem(
            severity="error",
            what=f"Postgres {number // 10_000} is too old: {OLDEST} or later is needed.",
            remedy=f"Replicate from a server of version {OLDEST} or later.",
        )


def _standby(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    if row and row[0]:
        yield Problem(
            severity="error",
            what="The server is a standby: publications cannot be made there.",
            remedy="Name the primary in the source URL.",
        )


def _setting(connection: psycopg.Connection[Any], name: str) -> str:
    row = connection.execute("SELECT current_setting(%s, true)", [name]).fetchone()
    return str(row[0]) if row and row[0] is not None else ""


def _log_level(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    level = _setting(connection, "wal_level")
    if level != "logical":
        yield Problem(
            severity="error",
            what=f"wal_level is '{level}', logical decoding needs 'logical'.",
            remedy="As superuser: ALTER SYSTEM SET wal_level = 'logical'; then restart Postgres.",
        )


def _encoding(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    encoding = _setting(connection, "server_encoding")
    if encoding == "SQL_ASCII":
        yield Problem(
            severity="error",
            what="The database's encoding is SQL_ASCII: its text has no defined characters.",
            remedy="Replicate from a database with a real encoding such as UTF8.",
        )


def _role(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    row = connection.execute(
        "SELECT rolsuper OR rolreplication OR EXISTS (SELECT FROM pg_roles m WHERE m.rolname IN"
        " ('rds_replication', 'cloudsqlsuperuser', 'azure_pg_admin') AND pg_has_role(r.oid, m.oid, 'member')),"
        " rolname FROM pg_roles r WHERE rolname = current_user"
    ).fetchone()
    if row and not row[0]:
        yield Problem(
            severity="error",
            what=f"Role {row[1]} may not read the log.",
            remedy=f"As superuser: ALTER ROLE {quoted(row[1])} REPLICATION;",
        )


def _slot(connection: psycopg.Connection[Any], slot: str) -> Iterator[Problem]:
    row = connection.execute(
        "SELECT database, plugin, active_pid FROM pg_replication_slots WHERE slot_name = %s", [slot]
    ).fetchone()
    if row is None:
        return
    database, plugin, pid = row
    if plugin != "pgoutput" or database != connection.info.dbname:
        yield Problem(
            severity="error",
            what=f"Slot {slot} exists already, for plugin {plugin} in database {database}.",
            remedy="Choose another --name, or drop the slot: SELECT pg_drop_replication_slot('"
            + slot
            + "');",
        )
    elif pid is not None:
        yield Problem(
            severity="error",
            what=f"Slot {slot} is in use by the walsender with pid {pid}.",
            remedy="Stop the other service that runs this pipeline, or choose another --name.",
        )


def _senders(connection: psycopg.Connection[Any], slot: str) -> Iterator[Problem]:
    row = connection.execute(
        "SELECT (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_stat_replication),"
        " (SELECT count(*) FROM pg_replication_slots WHERE slot_name = %s)",
        [slot],
    ).fetchone()
    slots, senders, ours = row or (0, 0, 0)
    # The copy needs a second, temporary slot only when it is resumed; one is counted for our own.
    for setting, used in (("max_replication_slots", slots - ours), ("max_wal_senders", senders)):
        limit = int(_setting(connection, setting) or 0)
        if used >= limit:
            yield Problem(
                severity="error",
                what=f"All {limit} of {setting} are in use.",
                remedy=f"As superuser: ALTER SYSTEM SET {setting} = {limit + 10}; then restart Postgres.",
            )


_ACCESS = """
SELECT n.nspname, c.relname, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
       c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
         AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE')), r.rolname
  FROM unnest(%s::text[], %s::text[]) AS wanted (schema, name)
  JOIN pg_namespace n ON n.nspname = wanted.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
  JOIN pg_roles r ON r.rolname = current_user
"""


def _access(connection: psycopg.Connection[Any], tables: Sequence[TableInfo]) -> Iterator[Problem]:
    names = [[t.schema for t in tables], [t.name for t in tables]]
    for schema, name, readable, restricted, role in connection.execute(_ACCESS, names):
        table = f"{quoted(schema)}.{quoted(name)}"
        if not readable:
            yield Problem(
                severity="error",
                what=f"Role {role} may not read {schema}.{name}.",
                remedy=f"As the owner: GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(role)};"
                f" GRANT SELECT ON {table} TO {quoted(role)};",
                table=f"{schema}.{name}",
            )
        if restricted:
            yield Problem(
                severity="error",
                what=f"{schema}.{name} has row level security, which could hide rows from role {role}.",
                remedy=f"As superuser: ALTER ROLE {quoted(role)} BYPASSRLS; or exclude the table.",
                table=f"{schema}.{name}",
            )


_PARTITIONS = """
SELECT wanted.schema, wanted.name, c.relkind = 'f', ln.nspname, c.relname
  FROM unnest(%s::text[], %s::text[]) AS wanted (schema, name)
  JOIN pg_namespace n ON n.nspname = wanted.schema
  JOIN pg_class root ON root.relnamespace = n.oid AND root.relname = wanted.name
  JOIN LATERAL pg_partition_tree(root.oid) p ON p.isleaf
  JOIN pg_class c ON c.oid = p.relid
  JOIN pg_namespace ln ON ln.oid = c.relnamespace
 WHERE c.relkind = 'f' OR c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS
       (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary AND x.indimmediate))
 ORDER BY 1, 2, 4, 5
"""


def _partitions(connection: psycopg.Connection[Any], tables: Sequence[TableInfo]) -> Iterator[Problem]:
    """Each leaf publishes for itself (C4): those without identity, and those that are elsewhere."""
    roots = [t for t in tables if t.partitioned]
    if not roots:
        return
    names = [[t.schema for t in roots], [t.name for t in roots]]
    weak: dict[str, list[str]] = {}
    for schema, name, foreign, leaf_schema, leaf in connection.execute(_PARTITIONS, names):
        root = f"{schema}.{name}"
        if foreign:
            yield Problem(
                severity="error",
                what=f"{leaf_schema}.{leaf}, a partition of {root}, is a foreign table: its rows are not in this log.",
                remedy=f"Exclude {root}, or detach the partition.",
                table=root,
            )
        else:
            weak.setdefault(root, []).append(f"{quoted(leaf_schema)}.{quoted(leaf)}")
    for root, leaves in weak.items():
        more = f" and {len(leaves) - 3} more" if len(leaves) > 3 else ""
        yield Problem(
            severity="warning",
            what=f"{root}: partition(s) {', '.join(leaves[:3])}{more} have no replica identity: inserts and truncates"
            " of the table are replicated, updates and deletes cannot be.",
            remedy=" ".join(f"ALTER TABLE {leaf} REPLICA IDENTITY FULL;" for leaf in leaves[:3])
            + (" ..." if more else ""),
            table=root,
        )


_NOT_TABLES = """
SELECT n.nspname || '.' || c.relname, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm', 'f') AND NOT c.relispartition AND n.nspname = ANY(%s) AND NOT EXISTS
       (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1
"""


def _not_tables(connection: psycopg.Connection[Any], tables: Sequence[TableInfo]) -> Iterator[Problem]:
    words = {"v": "view", "m": "materialized view", "f": "foreign table"}
    schemas = sorted({t.schema for t in tables})
    found = [f"{words[kind]} {name}" for name, kind in connection.execute(_NOT_TABLES, [schemas])]
    if found:
        more = f" and {len(found) - 10} more" if len(found) > 10 else ""
        yield Problem(
            severity="note",
            what=f"Not in the log, so not replicated: {', '.join(found[:10])}{more}.",
            remedy="Replicate the tables behind them.",
        )


def _retention(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    if _setting(connection, "max_slot_wal_keep_size") in ("", "-1"):
        yield Problem(
            severity="warning",
            what="max_slot_wal_keep_size is unlimited: while the pipeline is stopped, Postgres keeps all its log.",
            remedy="Set a limit the disk can bear, for example ALTER SYSTEM SET max_slot_wal_keep_size = '50GB';"
            " and run 'replicator clean' when the pipeline is given up.",
        )


def _table(table: TableInfo) -> Iterator[Problem]:
    if table.identity == "none" and not table.partitioned and any(not c.generated for c in table.columns):
        yield Problem(
            severity="warning",
            what=f"{table.full_name} has no replica identity (a deferrable key is none):"
            " its inserts and truncates are replicated, its updates and deletes cannot be.",
            remedy=f"ALTER TABLE {quoted(table.schema)}.{quoted(table.name)} ADD PRIMARY KEY (...); or"
            f" ALTER TABLE {quoted(table.schema)}.{quoted(table.name)} REPLICA IDENTITY FULL;",
            table=table.full_name,
        )
    if table.unlogged:
        yield Problem(
            severity="table",
            what=f"{table.full_name} is unlogged: its changes never reach the log.",
            remedy=f"ALTER TABLE {quoted(table.schema)}.{quoted(table.name)} SET LOGGED; or exclude it.",
            table=table.full_name,
        )
        return
    if not any(not c.generated for c in table.columns):
        yield Problem(
            severity="table",
            what=f"{table.full_name} has no columns that can be replicated.",
            remedy="Exclude it, or run with --skip-unsupported.",
            table=table.full_name,
        )
    generated = [c.name for c in table.columns if c.generated]
    if generated and len(generated) < len(table.columns):
        yield Problem(
            severity="warning",
            what=f"{table.full_name}: generated column(s) {', '.join(generated)} are not in the log and are left out.",
            remedy="Define them in the target table too if they are needed there.",
            table=table.full_name,
        )
