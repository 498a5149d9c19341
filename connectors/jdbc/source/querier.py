"""One table, or one query, that is read again and again. The task's thread owns it.

A record's offset says where reading goes on behind it. In timestamp mode rows of one moment cannot be told apart,
so theirs stays at the moment before until the last of them: a crash within repeats them and skips none (INV-8).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from connectors.jdbc.source.criteria import Criteria, find_criteria, moment_in, number_in
from connectors.jdbc.source.names import TableId
from connectors.jdbc.source.offsets import Offset, partition_of
from connectors.jdbc.source.options import BULK, TIMESTAMP
from connectors.jdbc.source.reading import Column, Reader, Result, TableColumn
from connectors.jdbc.source.schemas import RowPlan, TooNarrowError, plan_rows
from connectors.jdbc.source.settings import SourceSettings
from replicator.api import SourceRecord, Struct, StructuralError

_ALIAS = "q"


class Querier:
    """See the module.

    Attributes:
        table: the table, or None for the query.
        due: when the next query may begin, on the task's clock.
        rows: rows delivered since the start.
        failures: queries in a row that failed.
    """

    def __init__(self, table: TableId | None, settings: SourceSettings, offset: Offset | None) -> None:
        self.table = table
        self.due = 0.0
        self.rows = 0
        self.failures = 0
        self._settings = settings
        self._offset = offset or Offset()
        self._partition = partition_of(table)
        self._topic = settings.prefix if table is None else settings.prefix + table.name
        self._criteria: Criteria | None = None
        self._plan: RowPlan | None = None
        self._result: Result | None = None
        self._take: Callable[[tuple[Any, ...]], Offset | None] | None = None
        self._held: tuple[Any, ...] | None = None
        self._wide: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return "the query" if self.table is None else str(self.table)

    @property
    def is_open(self) -> bool:
        """Whether a query is under way."""
        return self._result is not None

    def open(self, reader: Reader) -> None:
        """Run the query for the rows behind the offset."""
        known = self._known(reader)
        result = reader.select(self._sql(reader, known), known)
        columns = tuple(result.columns)
        if self._plan is None or self._plan.columns != columns:
            self._plan = self._planned(columns)
        self._result = result
        self._take = self._offset_taker(columns)

    def _planned(self, columns: tuple[Column, ...]) -> RowPlan:
        name = None if self.table is None else self.table.name
        return plan_rows(columns, name, self._settings, self._wide)

    def take(self, count: int) -> list[SourceRecord]:
        """The next records; after the last of them the query is closed and `is_open` false."""
        assert self._result is not None
        assert self._plan is not None
        assert self._take is not None
        rows = self._result.fetch(count)
        if self._settings.mode == TIMESTAMP:
            records = self._with_lookahead(rows)
        else:
            records = [self._record(row, self._take(row)) for row in rows]
        if not rows:
            result, self._result = self._result, None
            result.close()
        self.rows += len(records)
        return records

    def reset(self) -> None:
        """Forget the query under way; what was delivered stays delivered."""
        self._result = None
        self._held = None

    # --- the query ---

    def _known(self, reader: Reader) -> Mapping[str, TableColumn]:
        if self.table is None:
            return reader.query_columns(self._settings.query)
        known = reader.table_columns(self.table)
        if not known:
            raise StructuralError(f"There is no table {self.table}")
        return known

    def _sql(self, reader: Reader, known: Mapping[str, TableColumn]) -> str:
        settings = self._settings
        suffix = f" {settings.suffix}" if settings.suffix else ""
        if settings.mode == BULK:
            return (settings.query if self.table is None else self._base(reader, known)) + suffix
        if self._criteria is None:
            self._criteria = self._find(reader, known)
        end = None
        if settings.uses_timestamps:
            end = reader.now() - dt.timedelta(milliseconds=settings.delay_ms)
        return f"{self._base(reader, known)}{self._criteria.clause(self._offset, end)}{suffix}"

    def _base(self, reader: Reader, known: Mapping[str, TableColumn]) -> str:
        if self.table is None and not self._settings.wrapped:
            return self._settings.query
        source = self._source(reader)
        return f"SELECT {reader.select_list(source, known)} FROM {source}"

    def _source(self, reader: Reader) -> str:
        return f"({self._settings.query}) {_ALIAS}" if self.table is None else self._name(reader)

    def _name(self, reader: Reader) -> str:
        assert self.table is not None
        return self.table.quoted(self._quote(reader))

    def _quote(self, reader: Reader) -> Callable[[str], str]:
        return reader.quote if self._settings.quote else str

    def _find(self, reader: Reader, known: Mapping[str, TableColumn]) -> Criteria:
        settings = self._settings
        return find_criteria(
            str(self),
            reader.describe(self._source(reader), known),
            settings.incrementing_of(self.table),
            settings.timestamps_of(self.table),
            settings,
            self._quote(reader),
        )

    # --- records ---

    def _offset_taker(self, columns: tuple[Column, ...]) -> Callable[[tuple[Any, ...]], Offset | None]:
        """A function that gives a row's own offset; compiled per query."""
        criteria = self._criteria
        if criteria is None:
            return lambda row: None
        places = {column.name: i for i, column in enumerate(columns)}
        number = criteria.incrementing
        at = places[number.name] if number is not None else 0
        times = tuple(columns[places[column.name]] for column in criteria.timestamps)
        time_places = [places[column.name] for column in criteria.timestamps]
        zone = self._settings.zone

        def take(row: tuple[Any, ...]) -> Offset:
            moment = moment_in(times, [row[i] for i in time_places], zone) if times else None
            return Offset(number_in(number, row[at]) if number is not None else None, moment)

        return take

    def _with_lookahead(self, rows: list[tuple[Any, ...]]) -> list[SourceRecord]:
        """Timestamp mode: the last row waits, since only the row behind it tells whether its moment is complete."""
        assert self._take is not None
        known = rows if self._held is None else [self._held, *rows]
        moments = [self._take(row) for row in known]
        count = max(0, len(known) - 1) if rows else len(known)
        self._held = known[count] if count < len(known) else None
        moments.append(None)
        return [
            self._record(known[i], moments[i] if moments[i] != moments[i + 1] else self._offset)
            for i in range(count)
        ]

    def _record(self, row: tuple[Any, ...], offset: Offset | None) -> SourceRecord:
        plan = self._plan
        assert plan is not None
        try:
            value = Struct(plan.schema, plan.make(row))
        except TooNarrowError as error:
            self._wide |= {error.column}
            self._plan = self._planned(plan.columns)
            return self._record(row, offset)
        stored: dict[str, int] | None = None
        if offset is not None:
            self._offset = offset
            stored = offset.to_map() or None
        return SourceRecord(self._partition, stored, self._topic, None, None, None, plan.schema, value)
