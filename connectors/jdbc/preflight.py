"""Checks of a MySQL or MariaDB target before anything is written; every finding names its remedy.

Run by the command line. Nothing here changes the server.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from connectors.jdbc import preflight_server
from connectors.jdbc.dialects import Connection, Dialect, TableName, TargetTable
from connectors.jdbc.preflight_tables import check_existing, unsupported
from replicator.api.database import Problem, TablePair
from replicator.api.errors import ConnectError, StructuralError

MAX_COLUMNS = 1017
RESERVED = frozenset({"replicator_ledger", "replicator_version"})
_TOGETHER = 100
Describe = Callable[[str], TargetTable | None]


def check(
    dialect: Dialect,
    connection: Connection,
    database: str,
    pairs: Sequence[TablePair],
    describe: Describe,
    *,
    begun: frozenset[str],
) -> list[Problem]:
    """Everything that would keep these tables from being written.

    Args:
        dialect: the target's.
        connection: to it.
        database: its name.
        pairs: the tables.
        describe: reads a target table.
        begun: tables that have been replicated before: their rows are ours, and one that cannot go on stops alone.
    """
    existing = _existing_names(connection)
    folds = str(connection.query("SELECT @@lower_case_table_names")[0][0]) != "0"

    def described(name: str) -> TargetTable | None:
        return describe(name) if (name.lower() if folds else name) in existing else None

    return [
        *preflight_server.check(connection, database),
        *_collisions(pairs, folds=folds),
        *(
            p
            for pair in pairs
            for p in _pair(dialect, pair, described, first_start=pair.source.full_name not in begun)
        ),
        *_occupied(dialect, connection, [p for p in pairs if p.source.full_name not in begun], described),
    ]


def _existing_names(connection: Connection) -> frozenset[str]:
    rows = connection.query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA=DATABASE()")
    return frozenset(str(row[0]) for row in rows)


def _occupied(
    dialect: Dialect, connection: Connection, pairs: Sequence[TablePair], describe: Describe
) -> Iterator[Problem]:
    """Rows that were in the target tables before the first copy."""
    present = [p for p in pairs if (t := describe(p.target_name)) is not None and not t.is_view]
    filled: list[TablePair] = []
    for start in range(0, len(present), _TOGETHER):
        part = present[start : start + _TOGETHER]
        tables = [dialect.quote_table(TableName(None, p.target_name)) for p in part]
        try:
            row = connection.query("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {t})" for t in tables))[0]
        except ConnectError:
            return  # a missing privilege has been reported
        filled += [p for p, has in zip(part, row, strict=True) if has]
    for pair in filled:
        keyless = not pair.source.key
        yield Problem(
            severity="error" if keyless else "warning",
            what=f"Target table {pair.target_name} holds rows already"
            + (
                f" and {pair.source.full_name} has no key: copying would double rows."
                if keyless
                else ": rows whose keys are not in the source would stay ('replicator verify' names them)."
            ),
            remedy=f"TRUNCATE TABLE {dialect.quote(pair.target_name)}; or --exclude '{pair.source.full_name}'"
            + (", or give the source table a primary key." if keyless else "."),
            table=pair.source.full_name,
        )


def _collisions(pairs: Sequence[TablePair], *, folds: bool) -> Iterator[Problem]:
    by_name: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        by_name[pair.target_name.lower() if folds else pair.target_name].append(pair.source.full_name)
    for name, sources in by_name.items():
        if len(sources) > 1:
            yield Problem(
                severity="error",
                what=f"{' and '.join(sources)} would both become table {name}"
                + (" (the server ignores case in table names)." if folds else "."),
                remedy="Exclude one of them with --exclude, or run it as a pipeline of its own into another database.",
                table=sources[-1],
            )


def _pair(dialect: Dialect, pair: TablePair, describe: Describe, *, first_start: bool) -> Iterator[Problem]:
    table = pair.source
    try:
        dialect.check_name(pair.target_name, "table")
        for column in table.columns:
            dialect.check_name(column.name)
    except StructuralError as error:
        yield unsupported(pair, error.message)
        return
    if pair.target_name.lower() in RESERVED:
        yield unsupported(pair, f"{pair.target_name} is the name of a table of ours in the target")
        return
    refused = list(_columns(pair))
    if refused:
        yield from refused
        return
    existing = describe(pair.target_name)
    fields = [(c.name, c.schema) for c in table.columns if not c.generated and c.schema is not None]
    lengths = {c.name: c.max_length for c in table.columns if c.max_length}
    try:
        if existing is None:
            columns = dialect.plan_columns(fields, table.key, lengths)
            yield from _policies(pair, columns)
        else:
            yield from check_existing(dialect, pair, existing, fields, first_start=first_start)
    except ConnectError as error:
        yield unsupported(pair, error.message)


def _columns(pair: TablePair) -> Iterator[Problem]:
    table = pair.source
    captured = [c for c in table.columns if not c.generated]
    if len(captured) > MAX_COLUMNS:
        yield unsupported(pair, f"it has {len(captured)} columns, an InnoDB table has at most {MAX_COLUMNS}")
    folded: dict[str, str] = {}
    for column in captured:
        other = folded.setdefault(column.name.casefold(), column.name)
        if other != column.name:
            yield unsupported(pair, f"its columns {other} and {column.name} differ only in letter case")
    for column in captured:
        limit = 768
        if column.key_position and column.kind != "bytes" and (column.max_length or 0) > limit:
            yield unsupported(
                pair,
                f"key column {column.name} holds a value of {column.max_length} characters,"
                f" a MySQL key of text holds {limit}",
            )


def _policies(pair: TablePair, columns: Sequence[Any]) -> Iterator[Problem]:
    stated = [f"{c.name}: {c.type.policy}" for c in columns if c.type.policy]
    if stated:
        yield Problem(
            severity="note",
            what=f"{pair.source.full_name} - {'; '.join(stated)}",
            table=pair.source.full_name,
        )
