"""Checks of a MySQL or MariaDB target before anything is written; every finding names its remedy.

Run by the command line. Nothing here changes the server.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from connectors.jdbc.dialects import Connection, Dialect, TargetTable
from replicator.api.database import Problem, TablePair
from replicator.api.errors import ConnectError, StructuralError

MAX_COLUMNS = 1017
_NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX")
Describe = Callable[[str], TargetTable | None]


def check(
    dialect: Dialect, connection: Connection, database: str, pairs: Sequence[TablePair], describe: Describe
) -> list[Problem]:
    """Everything that would keep these tables from being written."""
    return [
        *_server(connection),
        *_privileges(connection, database),
        *_collisions(connection, pairs),
        *(problem for pair in pairs for problem in _pair(dialect, pair, describe)),
    ]


def _variables(connection: Connection) -> dict[str, str]:
    names = ("sql_mode", "max_allowed_packet", "lower_case_table_names", "read_only", "innodb_page_size")
    return {n: str(connection.query(f"SELECT @@GLOBAL.{n}")[0][0]) for n in names}


def _server(connection: Connection) -> Iterator[Problem]:
    values = _variables(connection)
    if "STRICT_TRANS_TABLES" not in values["sql_mode"] and "STRICT_ALL_TABLES" not in values["sql_mode"]:
        yield Problem(
            severity="warning",
            what="The server's sql_mode is not strict; our own sessions are, other writers' are not.",
            remedy="SET PERSIST sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES');",
        )
    if int(values["max_allowed_packet"]) < 4 * 1024 * 1024:
        yield Problem(
            severity="warning",
            what=f"max_allowed_packet is {values['max_allowed_packet']} bytes; rows above half of it are refused.",
            remedy="SET GLOBAL max_allowed_packet = 67108864;",
        )
    if values["read_only"] not in ("0", "OFF"):
        yield Problem(
            severity="error",
            what="The server is read-only (a replica?).",
            remedy="Name the writable server in the target URL, or SET GLOBAL read_only = OFF;",
        )


def _privileges(connection: Connection, database: str) -> Iterator[Problem]:
    grants = " ".join(str(row[0]) for row in connection.query("SHOW GRANTS"))
    if "ALL PRIVILEGES" in grants or "GRANT PROXY" in grants:
        return
    account = str(connection.query("SELECT CURRENT_USER()")[0][0])
    user, _, host = account.rpartition("@")
    missing = [p for p in _NEEDED if p not in grants]
    if missing and " ROLE" not in grants:
        yield Problem(
            severity="error",
            what=f"Account {account} lacks {', '.join(missing)} on {database}.",
            remedy=f"GRANT {', '.join(_NEEDED)} ON `{database}`.* TO '{user}'@'{host}';",
        )


def _collisions(connection: Connection, pairs: Sequence[TablePair]) -> Iterator[Problem]:
    folds = str(connection.query("SELECT @@lower_case_table_names")[0][0]) != "0"
    by_name: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        by_name[pair.target_name.lower() if folds else pair.target_name].append(pair.source.full_name)
    for name, sources in by_name.items():
        if len(sources) > 1:
            yield Problem(
                severity="error",
                what=f"{' and '.join(sources)} would both become table {name}.",
                remedy="Exclude one of them with --exclude, or run it as a pipeline of its own into another database.",
                table=sources[-1],
            )


def _pair(dialect: Dialect, pair: TablePair, describe: Describe) -> Iterator[Problem]:
    table = pair.source
    try:
        dialect.check_name(pair.target_name, "table")
        for column in table.columns:
            dialect.check_name(column.name)
    except StructuralError as error:
        yield _unsupported(pair, error.message)
        return
    yield from _columns(pair)
    existing = describe(pair.target_name)
    fields = [(c.name, c.schema) for c in table.columns if not c.generated and c.schema is not None]
    lengths = {c.name: c.max_length for c in table.columns if c.max_length}
    try:
        if existing is None:
            columns = dialect.plan_columns(fields, table.key, lengths)  # type: ignore[arg-type]
            yield from _policies(pair, columns)
        else:
            yield from _existing(dialect, pair, existing, fields)
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
        if column.key_position and column.max_length and column.max_length > limit:
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
    dialect: Dialect, pair: TablePair, existing: TargetTable, fields: Sequence[tuple[str, Any]]
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
        extra = column.name.casefold() not in known
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
            dialect.literal_for(found, schema)
    yield from _collations(pair, existing)


def _wrong_key(pair: TablePair, existing: TargetTable) -> Iterator[Problem]:
    wanted = ", ".join(f"`{k}`" for k in pair.source.key)
    uniques = [{k.casefold() for k in c} for c in existing.unique_indexes.values()]
    if {k.casefold() for k in pair.source.key} in uniques or {
        k.casefold() for k in existing.primary_key
    } == {k.casefold() for k in pair.source.key}:
        return
    has = ", ".join(existing.primary_key) or "none"
    yield Problem(
        severity="error",
        what=f"Target table {pair.target_name} has primary key ({has}), the source's key is ({', '.join(pair.source.key)}).",
        remedy=f"ALTER TABLE `{pair.target_name}` "
        + ("DROP PRIMARY KEY, " if existing.primary_key else "")
        + f"ADD PRIMARY KEY ({wanted}); or drop the table and let it be created.",
        table=pair.source.full_name,
    )


def _collations(pair: TablePair, existing: TargetTable) -> Iterator[Problem]:
    for name in pair.source.key:
        column = existing.column(name)
        if column is None or column.collation is None:
            continue
        if not column.collation.endswith("bin") and column.collation != "binary":
            yield Problem(
                severity="error",
                what=f"Key column {pair.target_name}.{name} has collation {column.collation}: keys that differ in"
                " the source ('a' and 'A') would be one row here.",
                remedy=f"ALTER TABLE `{pair.target_name}` MODIFY `{name}` {column.type} CHARACTER SET utf8mb4"
                " COLLATE utf8mb4_0900_bin NOT NULL;  (MariaDB: utf8mb4_nopad_bin)",
                table=pair.source.full_name,
            )


def _unsupported(pair: TablePair, why: str) -> Problem:
    return Problem(
        severity="table",
        what=f"{pair.source.full_name} cannot be held by the target: {why}.",
        remedy=f"Exclude it with --exclude '{pair.source.full_name}', or leave it out with --skip-unsupported.",
        table=pair.source.full_name,
    )
