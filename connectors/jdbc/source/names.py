"""Names of tables: their parts, how they are written, and which of them a connector means. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from replicator.api import ConfigError

Quote = Callable[[str], str]

_PART: Final = re.compile(r'"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|([^.,"`]+)')


@dataclass(frozen=True, slots=True, order=True)
class TableId:
    """A table by its parts, unquoted; those its database does not have are None.

    Attributes:
        database: where it lives, for databases that do not name it in front of the table.
    """

    catalog: str | None
    schema: str | None
    name: str
    database: str | None = field(default=None, compare=False)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts there are."""
        return tuple(part for part in (self.catalog, self.schema, self.name) if part)

    def __str__(self) -> str:
        return ".".join(self.parts)

    def quoted(self, quote: Quote) -> str:
        """The full name for SQL."""
        return ".".join(quote(part) for part in self.parts)

    def spellings(self, quote: Quote) -> set[str]:
        """What users may write for it: bare, full, with the database, each quoted or not."""
        found = {self.name, str(self), quote(self.name), self.quoted(quote)}
        if self.database:
            parts = (self.database, *self.parts)
            found |= {".".join(parts), ".".join(quote(p) for p in parts)}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFilter:
    """Which tables a connector reads.

    Attributes:
        whitelist: names to read; empty means all.
        blacklist: names not to read.
        include: regular expressions of full names to read.
        exclude: regular expressions of full names not to read after all.
        catalog: LIKE pattern of catalogs, or None.
        schema: LIKE pattern of schemas, or None.
        types: kinds of relations.
    """

    whitelist: tuple[str, ...] = ()
    blacklist: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    catalog: str | None = None
    schema: str | None = None
    types: frozenset[str] = frozenset({"TABLE"})

    def chosen(self, tables: Iterable[TableId], quote: Quote, home: str | None) -> list[TableId]:
        """Those of the tables that are meant.

        Args:
            tables: tables of the server.
            quote: how names are quoted there.
            home: the connection's own catalog; tables of others must be named with theirs. None: there are no others.
        """
        return [table for table in tables if self._means(table, quote) and self._at_home(table, quote, home)]

    def missing(self, tables: Sequence[TableId], quote: Quote) -> list[str]:
        """Names of the whitelist that none of the tables has."""
        spelled = set().union(*(table.spellings(quote) for table in tables)) if tables else set()
        return [name for name in self.whitelist if name not in spelled]

    def _at_home(self, table: TableId, quote: Quote, home: str | None) -> bool:
        if home is None or self.catalog is not None or table.catalog == home:
            return True
        return bool(self.include) or not {str(table), table.quoted(quote)}.isdisjoint(self.whitelist)

    def _means(self, table: TableId, quote: Quote) -> bool:
        if self.catalog is not None and not _like(self.catalog, table.catalog):
            return False
        if self.schema is not None and not _like(self.schema, table.schema):
            return False
        if self.include:
            full = str(table)
            wanted = any(re.fullmatch(p, full) for p in self.include)
            return wanted and not any(re.fullmatch(p, full) for p in self.exclude)
        if self.whitelist:
            return not table.spellings(quote).isdisjoint(self.whitelist)
        return table.spellings(quote).isdisjoint(self.blacklist)


def _like(pattern: str, part: str | None) -> bool:
    """JDBC's metadata patterns; an empty one means tables without that part, where the database has such."""
    if pattern == "" or part is None:
        return part is None
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), part, re.DOTALL) is not None


def same_names(tables: Sequence[TableId]) -> list[TableId]:
    """Tables whose bare names are equal, and whose records would share a topic."""
    seen: dict[str, list[TableId]] = {}
    for table in tables:
        seen.setdefault(table.name, []).append(table)
    return [table for group in seen.values() if len(group) > 1 for table in group]


def join_tables(tables: Sequence[TableId]) -> str:
    """Tables as the text of one option."""
    return ",".join(table.quoted(_double) for table in tables)


def split_tables(text: str, parts: tuple[bool, bool]) -> list[TableId]:
    """The tables of such a text; `parts` says whether catalogs and schemas are parts of names.

    Raises:
        ConfigError: the text has another form.
    """
    tables: list[TableId] = []
    position = 0
    while position < len(text):
        names: list[str] = []
        while True:
            found = _PART.match(text, position)
            if found is None:
                raise ConfigError(f"{text} is no list of tables", option="tables")
            names.append(_unquoted(found))
            position = found.end()
            if text[position : position + 1] != ".":
                break
            position += 1
        tables.append(_from_parts(names, parts))
        position += 1
    return tables


def _from_parts(names: list[str], parts: tuple[bool, bool]) -> TableId:
    has_catalog, has_schema = parts
    before = names[:-1]
    schema = before.pop() if before and has_schema else None
    catalog = before.pop() if before and has_catalog else None
    return TableId(catalog, schema, names[-1])


def _unquoted(found: re.Match[str]) -> str:
    double, back, bare = found.groups()
    if double is not None:
        return str(double).replace('""', '"')
    return str(back).replace("``", "`") if back is not None else str(bare).strip()


def _double(name: str) -> str:
    return f'"{name.replace(chr(34), chr(34) * 2)}"'
