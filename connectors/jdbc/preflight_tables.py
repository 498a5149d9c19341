"""Checks of target tables that exist already: what keeps rows of the source from being written into them.

Every finding names its remedy. Run by the command line; nothing here changes the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.jdbc.dialects import Dialect, TargetTable
from replicator.api.database import Problem, TablePair
from replicator.api.errors import ConnectError


def check_existing(
    dialect: Dialect,
    pair: TablePair,
    existing: TargetTable,
    fields: Sequence[tuple[str, Any]],
    *,
    first_start: bool,
) -> Iterator[Problem]:
    """Why rows of these fields cannot go into a table that is there already.

    Args:
        dialect: the target's.
        pair: the source table and the name in the target.
        existing: the target table.
        fields: names and schemas of the columns that are written.
        first_start: whether nothing has been replicated into it before; if so, whatever does not fit is an error.
    """
    table = pair.source
    if existing.is_view:
        yield unsupported(pair, f"{pair.target_name} is a view in the target")
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
    yield from _left_out(pair, existing, first_start=first_start)
    yield from _unfit(dialect, pair, existing, fields, first_start=first_start)
    yield from _collations(dialect, pair, existing)
    yield from _texts(pair, existing)
    yield from _notes(pair, existing)


def _left_out(pair: TablePair, existing: TargetTable, *, first_start: bool) -> Iterator[Problem]:
    """Columns that the source does not know and a new row must have."""
    known = {c.name.casefold() for c in pair.source.columns}
    for column in existing.columns:
        # Later it may be a column that the source dropped: the sink lets new rows leave it out.
        extra = column.name.casefold() not in known and (first_start or column.name in existing.primary_key)
        if extra and not column.nullable and not column.has_default and not column.generated:
            yield Problem(
                severity="error",
                what=f"Target column {pair.target_name}.{column.name} is NOT NULL without default"
                " and does not exist in the source.",
                remedy=f"ALTER TABLE `{pair.target_name}` ALTER COLUMN `{column.name}` SET DEFAULT ...; or drop it.",
                table=pair.source.full_name,
            )


def _unfit(
    dialect: Dialect,
    pair: TablePair,
    existing: TargetTable,
    fields: Sequence[tuple[str, Any]],
    *,
    first_start: bool,
) -> Iterator[Problem]:
    """Columns of a type that cannot hold the source's: the source's column changed since the table was made."""
    for name, schema in fields:
        found = existing.column(name)
        if found is not None and not found.generated:
            try:
                dialect.literal_for(found, schema)
            except ConnectError as error:
                anew = (
                    f" Or make it anew: DROP TABLE {dialect.quote(pair.target_name)}; in the target, start, and run"
                    f" 'replicator recopy' with --tables '{pair.source.full_name}'."
                )
                if first_start:
                    yield unsupported(pair, f"{pair.target_name}: {error.message}", anew)
                else:
                    yield _stopped(pair, f"{pair.target_name}: {error.message}", anew)


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


def unsupported(pair: TablePair, why: str, otherwise: str = "") -> Problem:
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
