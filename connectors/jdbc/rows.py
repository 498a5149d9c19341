"""Rows to SQL text, and text to statements of a size the server takes (C21). Task thread only.

A value the target has no form for is found here, before anything is sent, and either replaced and
counted as the policy says or raised with the change it came from (INV-7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from connectors.jdbc.change import Change, Row
from connectors.jdbc.config import SinkSettings
from connectors.jdbc.dialects import Connection, Dialect, Statement, Unrepresentable
from connectors.jdbc.dialects.model import TableName
from replicator.api import DataError

RowValues = Callable[[Change], Row]

_STATEMENTS_AT_ONCE = 200


class RejectedChange(DataError):
    """One change cannot be written; nothing was sent for it.

    Attributes:
        change: the change.
    """

    def __init__(self, change: Change, reason: DataError) -> None:
        super().__init__(reason.message, hint=reason.hint)
        self.change = change


def whole_row(change: Change) -> Row:
    """Values of a change's row."""
    return change.row


def key_row(change: Change) -> Row:
    """Values of a change's key."""
    return dict(zip(change.plan.keys, change.key, strict=True))


class RowWriter:
    """Renders rows and runs statements.

    Attributes:
        lost: values lost by policy, by `table.column`.
    """

    def __init__(self, settings: SinkSettings, dialect: Dialect) -> None:
        self._dialect = dialect
        self._lossy = settings.unrepresentable == "null"
        self._max_rows = settings.max_rows
        self.lost: Counter[str] = Counter()

    def run(
        self,
        connection: Connection,
        statement: Statement,
        changes: Sequence[Change],
        values: RowValues = whole_row,
    ) -> int:
        """Execute a statement for these changes; returns the number of rows found.

        Raises:
            RejectedChange: a row cannot be rendered, or is larger than a statement may be.
        """
        most_rows = min(statement.max_rows, self._max_rows)
        if statement.separator == ";":
            most_rows = min(most_rows, _STATEMENTS_AT_ONCE)
        found = 0
        running = False
        try:
            for start in range(0, len(changes), most_rows):
                some = changes[start : start + most_rows]
                # The server works on the statement before while this one's text is made.
                for part in self._parts(statement, self._texts(statement, some, values), some):
                    if running:
                        running = False
                        found += connection.finish()
                    connection.start(statement, part)
                    running = True
        finally:
            if running:
                found += connection.finish()
        return found

    def _texts(self, statement: Statement, changes: Sequence[Change], values: RowValues) -> list[str]:
        row_text = statement.row_text
        try:
            if values is whole_row:
                return [row_text(change.row) for change in changes]
            return [row_text(values(change)) for change in changes]
        except DataError:
            return [self._text(statement, change, values(change)) for change in changes]

    def _text(self, statement: Statement, change: Change, row: Row) -> str:
        try:
            return statement.row_text(row)
        except Unrepresentable as error:
            if not self._lossy:
                raise RejectedChange(change, error) from error
        except DataError as error:
            raise RejectedChange(change, error) from error
        lost: list[str] = []
        try:
            text = statement.lossy_text(row, lost)
        except DataError as error:
            raise RejectedChange(change, error) from error
        self.count_lost(change.plan.table, lost)
        return text

    def count_lost(self, table: TableName, columns: Sequence[str]) -> None:
        """Count values lost by policy."""
        for column in columns:
            self.lost[f"{table}.{column}"] += 1

    def _parts(
        self, statement: Statement, texts: list[str], changes: Sequence[Change]
    ) -> Iterator[list[str]]:
        """The texts, cut where a statement would be too large."""
        room = self._dialect.max_statement_bytes - 4 * (len(statement.prefix) + len(statement.suffix)) - 1024
        # A character takes four bytes at most: the exact count is needed for large statements only.
        if 4 * sum(map(len, texts)) <= room:
            yield texts
        else:
            yield from self._cut_by_size(texts, changes, room)

    def _cut_by_size(self, texts: list[str], changes: Sequence[Change], room: int) -> Iterator[list[str]]:
        part: list[str] = []
        size = 0
        for text, change in zip(texts, changes, strict=True):
            bytes_ = (len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))) + 1
            if bytes_ > room:
                limit = f"The row takes {bytes_} bytes, and a statement may have {room}"
                raise RejectedChange(change, DataError(limit, hint="Raise max_allowed_packet on the target."))
            if part and size + bytes_ > room:
                yield part
                part, size = [], 0
            part.append(text)
            size += bytes_
        if part:
            yield part


def coordinates(record: Any) -> str:
    """Where a record stands, for messages: `topic-0@12`."""
    return f"{record.original_topic}-{record.original_kafka_partition}@{record.original_kafka_offset}"
