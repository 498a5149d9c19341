"""The two publications of a connector: captured tables, and captured tables without replica identity.

Owned by the reader thread, before the slot exists (C3). A table without replica identity must never be in a
publication of updates and deletes: the server would refuse the application's UPDATE. Such tables go to the
second publication, of inserts and truncates only (C4). Without the right to change publications the error
carries the exact statements for their owner.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql

from connectors.postgres.catalog import Relation
from connectors.postgres.connection import PlainConnection, server_version
from connectors.postgres.errors import translated
from replicator.api import ConfigError, PositionLostError

log = logging.getLogger(__name__)

_PUBLICATION: Final = """
SELECT p.puballtables, p.pubupdate OR p.pubdelete, p.pubviaroot,
       (SELECT coalesce(array_agg(r.prrelid::int8), '{}') FROM pg_publication_rel r WHERE r.prpubid = p.oid)
  FROM pg_publication p WHERE p.pubname = %s
"""
_COVERED: Final = """
SELECT c.oid::int8 FROM pg_publication_tables t
  JOIN pg_namespace n ON n.nspname = t.schemaname
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
 WHERE t.pubname = %s
"""
_PARTS: Final = """
SELECT r.prrelid::int8, pg_get_expr(r.prqual, r.prrelid),
       (SELECT array_agg(a.attname::text) FROM pg_attribute a
         WHERE a.attrelid = r.prrelid AND a.attnum = ANY(r.prattrs::int2[]))
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
 WHERE p.pubname = %s AND (r.prattrs IS NOT NULL OR r.prqual IS NOT NULL)
"""
_MEMBERS: Final = """
SELECT r.prrelid::int8, r.oid::int8 FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
 WHERE p.pubname = %s
"""
_WITH_PARTS: Final = 150000
_LOCK_TIMEOUT: Final = "5s"
"""Waiting in a table's lock queue for long would make everybody behind it wait, too."""
_FOREIGN: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = ANY(%s::oid[])
   AND NOT EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                    WHERE r.prrelid = c.oid AND p.pubname = %s)
   AND NOT (pg_has_role(c.relowner, 'USAGE')
            AND coalesce((SELECT pg_has_role(pubowner, 'USAGE') FROM pg_publication WHERE pubname = %s), true))
"""
APPEND_ONLY: Final = "insert, truncate"


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication as it is."""

    name: str
    all_tables: bool
    changes: bool
    via_root: bool
    tables: frozenset[int]


@dataclass(frozen=True, slots=True)
class PublishedPart:
    """Column list and row filter of a published table: the copy must leave out what the stream does.

    Attributes:
        columns: names of the published columns, or None for all.
        row_filter: SQL condition, or None.
    """

    columns: frozenset[str] | None
    row_filter: str | None


@dataclass(slots=True)
class Published:
    """What START_REPLICATION names, and what the operator should know.

    Attributes:
        names: publications to read.
        warnings: sentences for status.
        added: tables that were in neither publication until now.
        lists: what publications leave out of tables, by object id.
        members: object id of each table's membership in the main publication: another one than before means that
            the table was not published for a while.
    """

    names: list[str]
    warnings: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    lists: dict[int, PublishedPart] = field(default_factory=dict)
    members: dict[int, int] = field(default_factory=dict)


class Publications:
    """Makes the publications fit the captured tables.

    Attributes:
        name: the main publication's.
    """

    def __init__(self, connection: PlainConnection, options: Mapping[str, Any]) -> None:
        self._connection = connection
        self._mode: str = options["publication.autocreate.mode"]
        self._via_root: bool = options["publish.via.partition.root"]
        self._main: str = options["publication.name"]
        self.name = self._main
        self._append: str = options["publication.append.name"] or f"{self._main[:56]}_append"

    def ensure(self, captured: Sequence[Relation], *, slot_exists: bool, resuming: bool) -> Published:
        """Create or adapt the publications; committed when this returns.

        Args:
            captured: tables to capture.
            slot_exists: whether the slot is older than what is created now.
            resuming: whether log from before now will be read from that slot.

        Raises:
            ConfigError: a publication is missing or may not be changed; names the statements.
            PositionLostError: the publication is gone, and what is created now cannot decode older log.
        """
        published = self._ensure(captured, slot_exists=slot_exists, resuming=resuming)
        published.lists = self._parts()
        with translated("reading publications"):
            published.members = dict(self._connection.execute(_MEMBERS, [self._main]).fetchall())
        return published

    @property
    def ours(self) -> bool:
        """Whether this connector decides which tables are published."""
        if self._mode in ("disabled", "no_tables"):
            return False
        main = self._read(self._main)
        return main is None or not main.all_tables

    def refused(self, relations: Sequence[Relation]) -> dict[str, str]:
        """A sentence for each table that our role may not add where it belongs, and that is not there yet."""
        found: dict[str, str] = {}
        for name, wanted in (
            (self._main, [r for r in relations if r.has_identity]),
            (self._append, [r for r in relations if not r.has_identity]),
        ):
            with translated("reading privileges"):
                rows = self._connection.execute(_FOREIGN, [[r.oid for r in wanted], name, name]).fetchall()
            for schema, table in rows:
                add = sql.SQL("ALTER PUBLICATION {} ADD TABLE {}").format(
                    sql.Identifier(name), sql.Identifier(schema, table)
                )
                found[f"{schema}.{table}"] = (
                    f"Table {schema}.{table} cannot join, because the role does not own it or the publication. Run as "
                    f"owner: {add.as_string(None)};"
                )
        return found

    def removal(self, relation: Relation) -> str:
        """The statement that takes a table out of the main publication."""
        table = sql.Identifier(relation.schema, relation.name)
        return (
            sql.SQL("ALTER PUBLICATION {} DROP TABLE {}")
            .format(sql.Identifier(self._main), table)
            .as_string(None)
        )

    def uncovered(self, captured: Sequence[Relation]) -> dict[str, str]:
        """A sentence for each table that neither publication has."""
        names = [n for n in (self._main, self._append) if self._read(n) is not None]
        covered: set[int] = set()
        with translated("reading publications"):
            for name in names:
                covered.update(row[0] for row in self._connection.execute(_COVERED, [name]))
        return {
            r.full_name: f"Table {r.full_name} matches but is in no publication, so its changes are not captured: "
            f"ALTER PUBLICATION {sql.Identifier(self._main).as_string(None)} ADD TABLE "
            f"{sql.Identifier(r.schema, r.name).as_string(None)}."
            for r in captured
            if r.oid not in covered and not (set(r.leaves) & covered)
        }

    def _parts(self) -> dict[int, PublishedPart]:
        if server_version(self._connection) < _WITH_PARTS:
            return {}
        with translated("reading publications"):
            rows = self._connection.execute(_PARTS, [self._main]).fetchall()
        return {
            oid: PublishedPart(frozenset(names) if names is not None else None, condition)
            for oid, condition, names in rows
        }

    def _ensure(self, captured: Sequence[Relation], *, slot_exists: bool, resuming: bool) -> Published:
        main, append = self._read(self._main), self._read(self._append)
        if main is None and resuming:
            raise PositionLostError(
                f'Publication "{self._main}" is missing, and one created now cannot be used to read older log.',
                hint="Make a new copy: delete the connector's offsets and the replication slot, then start again.",
            )
        if self._mode == "disabled" or self._mode == "no_tables":
            return self._as_they_are(main, append, captured)
        if main is not None and main.all_tables:
            return self._all_tables(append, captured)
        return self._filtered(main, append, captured, slot_exists=slot_exists and resuming)

    def _as_they_are(
        self, main: Publication | None, append: Publication | None, captured: Sequence[Relation]
    ) -> Published:
        if main is None and self._mode == "no_tables":
            self._run([self._create(self._main, [])])
            return Published([self._main])
        if main is None:
            keyed = [r for r in captured if r.has_identity]
            raise ConfigError(
                f'Publication "{self._main}" does not exist and publication.autocreate.mode is disabled.',
                option="publication.name",
                hint=f"Run as the tables' owner: {self._create(self._main, keyed).as_string(None)};",
            )
        published = Published([self._main] + ([self._append] if append is not None else []))
        if self._mode == "disabled":
            published.warnings += [*self._failing(main, captured), *self.uncovered(captured).values()]
        return published

    def _all_tables(self, append: Publication | None, captured: Sequence[Relation]) -> Published:
        if self._mode == "filtered":
            raise ConfigError(
                f'Publication "{self._main}" is FOR ALL TABLES, which does not go with '
                "publication.autocreate.mode=filtered.",
                option="publication.autocreate.mode",
                hint="Choose another publication.name, or drop that publication.",
            )
        published = Published([self._main] + ([self._append] if append is not None else []))
        published.warnings += [
            f"Table {r.full_name} has no replica identity: publication {self._main} is FOR ALL TABLES and makes "
            f"its UPDATE and DELETE fail. Give it a primary key, or REPLICA IDENTITY FULL."
            for r in captured
            if not r.has_identity
        ]
        return published

    def _filtered(
        self,
        main: Publication | None,
        append: Publication | None,
        captured: Sequence[Relation],
        *,
        slot_exists: bool,
    ) -> Published:
        if not captured:
            raise ConfigError(
                "No table matches the filters, so there is nothing to publish.",
                option="table.include.list",
                hint="Correct table.include.list (regular expressions over schema.table).",
            )
        keyed = [r for r in captured if r.has_identity]
        bare = [r for r in captured if not r.has_identity]
        published = Published([self._main])
        statements = self._changes(self._main, main, keyed)
        if append is not None or not slot_exists:
            published.names.append(self._append)
            statements += self._changes(self._append, append, bare, publish=APPEND_ONLY)
            state = "only its inserts and truncates are replicated"
        else:
            # The slot is older: a publication created now would make all log before now unreadable.
            state = f"it is not captured, because the slot is older than publication {self._append}"
        published.warnings += [
            f"Table {r.full_name} has no replica identity: {state}. {_REMEDY}" for r in bare
        ]
        there = {oid for p in (main, append) if p is not None for oid in p.tables}
        changes = main.tables if main is not None else frozenset()
        published.added = [r.full_name for r in keyed if r.oid not in changes]
        if self._append in published.names:
            published.added += [r.full_name for r in bare if r.oid not in there]
        self._run(statements)
        return published

    def _changes(
        self, name: str, existing: Publication | None, wanted: Sequence[Relation], publish: str | None = None
    ) -> list[sql.Composed]:
        if existing is None:
            return [self._create(name, wanted, publish)]
        statements = []
        identifier = sql.Identifier(name)
        if existing.via_root != self._via_root:
            setting = sql.SQL("true" if self._via_root else "false")
            statements.append(
                sql.SQL("ALTER PUBLICATION {} SET (publish_via_partition_root = {})").format(
                    identifier, setting
                )
            )
        extra = existing.tables - {r.oid for r in wanted}
        missing = [r for r in wanted if r.oid not in existing.tables]
        if extra and (self._mode == "filtered" or not wanted):
            statements.extend(self._drop_tables(identifier, extra))
        if missing:
            statements.append(
                sql.SQL("ALTER PUBLICATION {} ADD TABLE {}").format(identifier, _table_list(missing))
            )
        return statements

    def _drop_tables(self, publication: sql.Identifier, oids: frozenset[int]) -> list[sql.Composed]:
        query = (
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.oid = ANY(%s::oid[]) ORDER BY 1, 2"
        )
        rows = self._connection.execute(query, [sorted(oids)]).fetchall()
        drop = sql.SQL("ALTER PUBLICATION {} DROP TABLE {}")
        return [drop.format(publication, sql.Identifier(*row)) for row in rows]

    def _create(self, name: str, tables: Sequence[Relation], publish: str | None = None) -> sql.Composed:
        statement = sql.SQL("CREATE PUBLICATION {}").format(sql.Identifier(name))
        if tables:
            statement += sql.SQL(" FOR TABLE {}").format(_table_list(tables))
        options: list[sql.Composable] = []
        if publish is not None:
            options.append(sql.SQL("publish = {}").format(sql.Literal(publish)))
        if self._via_root:
            options.append(sql.SQL("publish_via_partition_root = true"))
        if options:
            statement += sql.SQL(" WITH ({})").format(sql.SQL(", ").join(options))
        return statement

    def _run(self, statements: Sequence[sql.Composed]) -> None:
        if not statements:
            return
        with translated("changing publications"):
            try:
                with self._connection.transaction():
                    self._connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                    for statement in statements:
                        log.info("%s", statement.as_string(None))
                        self._connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege as error:
                text = "; ".join(s.as_string(None) for s in statements)
                raise ConfigError(
                    f"The role may not change publications: {error.diag.message_primary}.",
                    option="publication.autocreate.mode",
                    hint=f"Run as the tables' owner: {text}; and set publication.autocreate.mode=disabled.",
                ) from error

    def _read(self, name: str) -> Publication | None:
        with translated("reading publications"):
            row = self._connection.execute(_PUBLICATION, [name]).fetchone()
        if row is None:
            return None
        return Publication(name, row[0], row[1], row[2], frozenset(row[3]))

    def _failing(self, main: Publication, captured: Sequence[Relation]) -> list[str]:
        if not main.changes:
            return []
        return [
            f"Table {r.full_name} has no replica identity but is in publication {main.name}, which makes its UPDATE "
            f"and DELETE fail. {_REMEDY}"
            for r in captured
            if not r.has_identity and (main.all_tables or r.oid in main.tables)
        ]


_REMEDY: Final = (
    "Give it a primary key, or run ALTER TABLE ... REPLICA IDENTITY FULL; it is then copied anew."
)


def _table_list(tables: Sequence[Relation]) -> sql.Composed:
    parts = []
    for r in sorted(tables, key=lambda r: (r.schema, r.name)):
        name = sql.Identifier(r.schema, r.name)
        # Without ONLY, tables that inherit from this one would be published with it.
        parts.append(sql.SQL("{}").format(name) if r.partitioned else sql.SQL("ONLY {}").format(name))
    return sql.SQL(", ").join(parts)
