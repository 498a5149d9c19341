"""Replica identities that the user wants to be set (`replica.identity.autoset.values`).

Owned by the reader thread, before the publications are made. A table that cannot be changed keeps its identity, and
the log says why; nothing waits long for a lock of the application.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import sql

from connectors.cdc.selection import Patterns
from connectors.postgres.catalog import Relation
from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated
from replicator.api import ConfigError

log = logging.getLogger(__name__)

OPTION: Final = "replica.identity.autoset.values"
_LOCK_TIMEOUT: Final = "2s"
_ENTRY: Final = re.compile(r"(.+):\s*(DEFAULT|FULL|NOTHING|INDEX\s+(\S+))\s*", re.IGNORECASE)
_CURRENT: Final = """
SELECT c.oid::int8, n.nspname, c.relname, CASE c.relreplident WHEN 'd' THEN 'DEFAULT' WHEN 'f' THEN 'FULL'
       WHEN 'n' THEN 'NOTHING' ELSE 'INDEX ' || coalesce((SELECT i.relname FROM pg_index x
         JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisreplident), '') END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY(%s::oid[])
"""


class Identities:
    """The option's entries, `table:identity`, the first match of a table counts.

    Raises:
        ConfigError: an entry has another form.
    """

    def __init__(self, value: str | None) -> None:
        self._entries: list[tuple[Patterns, str]] = []
        for entry in (value or "").split(","):
            if not entry.strip():
                continue
            match = _ENTRY.fullmatch(entry.strip())
            if match is None:
                raise ConfigError(
                    f"Invalid entry {entry.strip()!r} in {OPTION}.",
                    option=OPTION,
                    hint="Write schema.table:FULL, :DEFAULT, :NOTHING or :INDEX index_name; the table is a regular"
                    " expression.",
                )
            wanted = f"INDEX {match[3]}" if match[3] else match[2].upper()
            self._entries.append((Patterns(OPTION, [match[1]]), wanted))

    def apply(self, connection: PlainConnection, captured: Sequence[Relation]) -> bool:
        """Set what differs; whether anything was changed."""
        if not self._entries:
            return False
        wanted = {leaf: self._wanted(r.full_name) for r in captured for leaf in (*r.leaves, r.oid)}
        with translated("reading replica identities"):
            rows = connection.execute(
                _CURRENT, [[oid for oid, identity in wanted.items() if identity]]
            ).fetchall()
        changed = False
        for oid, schema, name, current in rows:
            identity = wanted[oid] or current
            if identity != current:
                changed |= _set(connection, schema, name, identity)
        return changed

    def _wanted(self, table: str) -> str | None:
        return next((identity for patterns, identity in self._entries if patterns.match(table)), None)


def _set(connection: PlainConnection, schema: str, name: str, identity: str) -> bool:
    kind, _, index = identity.partition(" ")
    what = sql.SQL("USING INDEX {}").format(sql.Identifier(index)) if index else sql.SQL(kind)
    statement = sql.SQL("ALTER TABLE {} REPLICA IDENTITY {}").format(sql.Identifier(schema, name), what)
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            connection.execute(statement)
    except psycopg.OperationalError as error:
        if not isinstance(error, psycopg.errors.LockNotAvailable):
            with translated("setting a replica identity"):
                raise
        log.warning("%s: %s", statement.as_string(None), error)
        return False
    except psycopg.Error as error:
        log.warning("%s: %s", statement.as_string(None), error)
        return False
    log.info("%s", statement.as_string(None))
    return True
