"""Checks of a MySQL or MariaDB target before anything is written; every finding names its remedy.

Run by the command line. Nothing here changes the server.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from connectors.jdbc import preflight_server
from connectors.jdbc.dialects import Connection, Dialect, TableName, TargetTable
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
        yield _unsupported(pair, error.message)
        return
    if pair.target_name.lower() in RESERVED:
        yield _unsupported(pair, f"{pair.target_name} is the name of a table of ours in the target")
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
            yield from _existing(dialect, pair, existing, fields, first_start=first_start)
    except ConnectError as error:
        yield _unsupported(pair, error.message)


def _columns(pair: TablePair) -> Iterator[Problem]:
    table = pair.source
    captured = [c for c in table.columns if not c.generated]
    if len(captured) > MAX_COLUMNS:
        yield _unsupported(pair, f"it has {len(captured)} columns, an InnoDB table has at most {MAX_COLUMNS}")
    folded: dict[str, str] = {}
    for column in captured:
        other = folded.setdefault(column.name.casefold(), column.name)
        if other != column.name:
            yield _unsupported(pair, f"its columns {other} and {column.name} differ only in letter case")
    for column in captured:
        limit = 768
        if column.key_position and column.kind != "bytes" and (column.max_length or 0) > limit:
            yield _unsupported(
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


def _existing(
    dialect: Dialect,
    pair: TablePair,
    existing: TargetTable,
    fields: Sequence[tuple[str, Any]],
    *,
    first_start: bool,
) -> Iterator[Problem]:
    table = pair.source
    if existing.is_view:
        yield _unsupported(pair, f"{pair.target_name} is a view in the target")
        return
    if existing.engine and existing.engine.lower() != "innodb":
        yield Problem(
            severity="error",
            what=f"Target table {pair.target_name} uses engine {existing.engine}, which has no transactions.",
            remedy=f"ALTER TABLE `{pair.target_name}` ENGINE = InnoDB;",
            table=table.full_name,
        )
    if table.key and [k.casefold() for k in existing.primary_key] != [k.casefold() for k in table.key]:
        yield from _wrong_key(pair, existing)
    known = {c.name.casefold() for c in table.columns}
    for column in existing.columns:
        # Later it may be a column that the source dropped: the sink lets new rows leave it out.
        extra = column.name.casefold() not in known and (first_start or column.name in existing.primary_key)
        if extra and not column.nullable and not column.has_default and not column.generated:
            yield Problem(
                severity="error",
                what=f"Target column {pair.target_name}.{column.name} is NOT NULL without default"
                " and does not exist in the source.",
                remedy=f"ALTER TABLE `{pair.target_name}` ALTER COLUMN `{column.name}` SET DEFAULT ...; or drop it.",
                table=table.full_name,
            )
    for name, schema in fields:
        found = existing.column(name)
        if found is not None and not found.generated:
            try:
                dialect.literal_for(found, schema)
            except ConnectError as error:
                # The source's column changed its type since the table was made.
                anew = (
                    f" Or make it anew: DROP TABLE {dialect.quote(pair.target_name)}; in the target, start, and run"
                    f" 'replicator recopy' with --tables '{table.full_name}'."
                )
                if first_start:
                    yield _unsupported(pair, f"{pair.target_name}: {error.message}", anew)
                else:
                    yield _stopped(pair, f"{pair.target_name}: {error.message}", anew)
    yield from _collations(dialect, pair, existing)
    yield from _texts(pair, existing)
    yield from _notes(pair, existing)


def _texts(pair: TablePair, existing: TargetTable) -> Iterator[Problem]:
    """Character sets that lack characters the source may have."""
    for column in pair.source.columns:
        found = existing.column(column.name)
        if found is None or found.collation is None or column.kind not in ("text", "bpchar", "json", "jsonb"):
            continue
        charset = found.collation.partition("_")[0]
        if charset not in ("utf8mb4", "binary", "utf16", "utf32", "gb18030", "uca1400"):
            yield Problem(
                severity="warning",
                what=f"Target column {pair.target_name}.{found.name} has character set {charset}:"
                " values with other characters would stop the table.",
                remedy=f"ALTER TABLE `{pair.target_name}` MODIFY `{found.name}` {found.type} CHARACTER SET utf8mb4"
                + ("" if found.nullable else " NOT NULL")
                + ";",
                table=pair.source.full_name,
            )


def _notes(pair: TablePair, existing: TargetTable) -> Iterator[Problem]:
    computed = [
        c.name for c in existing.columns if c.generated and any(c.name == s.name for s in pair.source.columns)
    ]
    if computed:
        yield Problem(
            severity="note",
            what=f"Target table {pair.target_name} computes {', '.join(computed)} itself; not written, not verified.",
            table=pair.source.full_name,
        )
    for name, columns in existing.unique_indexes.items():
        if {c.casefold() for c in columns} != {k.casefold() for k in pair.source.key}:
            yield Problem(
                severity="note",
                what=f"Target table {pair.target_name} has the secondary unique index {name}"
                f" ({', '.join(columns)}): rows are written more slowly, in an order that keeps it.",
                table=pair.source.full_name,
            )


def _wrong_key(pair: TablePair, existing: TargetTable) -> Iterator[Problem]:
    wanted = ", ".join(f"`{k}`" for k in pair.source.key)
    uniques = [{k.casefold() for k in c} for c in existing.unique_indexes.values()]
    if {k.casefold() for k in pair.source.key} in uniques or {k.casefold() for k in existing.primary_key} == {
        k.casefold() for k in pair.source.key
    }:
        return
    has = ", ".join(existing.primary_key) or "none"
    yield Problem(
        severity="error",
        what=f"Target table {pair.target_name} has primary key ({has}),"
        f" the source's key is ({', '.join(pair.source.key)}).",
        remedy=f"ALTER TABLE `{pair.target_name}` "
        + ("DROP PRIMARY KEY, " if existing.primary_key else "")
        + f"ADD PRIMARY KEY ({wanted}); or drop the table and let it be created.",
        table=pair.source.full_name,
    )


def _collations(dialect: Dialect, pair: TablePair, existing: TargetTable) -> Iterator[Problem]:
    collation = "utf8mb4_nopad_bin" if dialect.kind == "mariadb" else "utf8mb4_0900_bin"
    for name in pair.source.key:
        column = existing.column(name)
        if column is None or column.collation is None:
            continue
        if not column.collation.endswith("_bin") and column.collation != "binary":
            yield Problem(
                severity="error",
                what=f"Key column {pair.target_name}.{name} has collation {column.collation}: keys that differ in"
                " the source ('a' and 'A') would be one row here.",
                remedy=f"ALTER TABLE `{pair.target_name}` MODIFY `{name}` {column.type} CHARACTER SET utf8mb4"
                f" COLLATE {collation} NOT NULL;",
                table=pair.source.full_name,
            )


def _unsupported(pair: TablePair, why: str, otherwise: str = "") -> Problem:
    return Problem(
        severity="table",
        what=f"{pair.source.full_name} cannot be held by the target: {why}.",
        remedy=f"Exclude it with --exclude '{pair.source.full_name}', or leave it out with --skip-unsupported."
        + otherwise,
        table=pair.source.full_name,
    )


def _stopped(pair: TablePair, why: str, anew: str) -> Problem:
    """The sink stops this table at its next change, and keeps its changes in the log (C23)."""
    return Problem(
        severity="stopped",
        what=f"{pair.source.full_name} cannot go on: {why}.",
        remedy=f"Alter the column in the target so that it fits.{anew}",
        table=pair.source.full_name,
    )
