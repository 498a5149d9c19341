"""Checks whether our role can make the publications, and what their owner runs when it cannot (C3).

Run by the command line. Nothing here changes the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from replicator.api.database import Problem, TableInfo

_PUBLISHED = """
SELECT p.pubname, p.puballtables, pg_has_role(p.pubowner, 'USAGE'), coalesce(
       (SELECT array_agg(n.nspname || '.' || c.relname) FROM pg_publication_rel r
          JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE r.prpubid = p.oid), '{}')
  FROM pg_publication p WHERE p.pubname = ANY(%s)
"""
_OWNERSHIP = """
SELECT r.rolsuper, has_database_privilege(current_database(), 'CREATE'), r.rolname,
       (SELECT coalesce(array_agg(n.nspname || '.' || c.relname), '{}') FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE'))
  FROM pg_roles r WHERE r.rolname = current_user
"""


def check(connection: psycopg.Connection[Any], tables: Sequence[TableInfo], name: str) -> Iterator[Problem]:
    """What of the publications is missing, where our role may not make it (C3)."""
    row = connection.execute(_OWNERSHIP).fetchone()
    superuser, may_create, role, owned = row or (False, False, "", [])
    if superuser:
        return
    found: dict[str, tuple[bool, bool, list[str]]] = {
        r[0]: r[1:] for r in connection.execute(_PUBLISHED, [[name, f"{name}_append"]])
    }
    statements: dict[str, list[str]] = {}
    why = ""
    for publication, wanted, publish in _wanted(tables, name):
        everything, ours, there = found.get(publication, (False, True, []))
        missing = [t for t in wanted if not everything and t.full_name not in there]
        if publication not in found:
            # Of all tables at once: nothing works before both publications are there.
            statements.setdefault("", []).append(
                _publication_sql(publication, missing, publish, exists=False)
            )
        for t in missing if publication in found else ():
            statements.setdefault(t.full_name, []).append(
                _publication_sql(publication, [t], publish, exists=True)
            )
        foreign = [t.full_name for t in missing if t.full_name not in owned]
        if publication not in found and not may_create:
            why = why or "may not create publications in this database"
        elif not ours and missing:
            why = why or f"does not own the publication {publication}"
        elif foreign:
            why = why or f"does not own {foreign[0]}"
    for table, needed in statements.items() if why else ():
        yield Problem(
            severity="error",
            what=f"Role {role} {why}, so it cannot make the publications {name} and {name}_append fit.",
            remedy="As the owner: " + " ".join(needed),
            table=table or None,
        )


def _wanted(tables: Sequence[TableInfo], name: str) -> Iterator[tuple[str, list[TableInfo], str]]:
    """Both publications, their tables, and what they publish; both exist before the slot does."""
    logged = [t for t in tables if not t.unlogged]
    yield name, [t for t in logged if t.identity != "none"], "insert, update, delete, truncate"
    yield f"{name}_append", [t for t in logged if t.identity == "none"], "insert, truncate"


def _publication_sql(name: str, tables: Sequence[TableInfo], publish: str, *, exists: bool) -> str:
    listed = ", ".join(f"{quoted(t.schema)}.{quoted(t.name)}" for t in tables)
    if exists:
        return f"ALTER PUBLICATION {quoted(name)} ADD TABLE {listed};"
    return (
        f"CREATE PUBLICATION {quoted(name)}"
        + (f" FOR TABLE {listed}" if listed else "")
        + f" WITH (publish = '{publish}', publish_via_partition_root = true);"
    )


def quoted(name: str) -> str:
    """A quoted identifier, as text."""
    return '"' + name.replace('"', '""') + '"'
