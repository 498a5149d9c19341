"""Applies batches: one target transaction per batch, ledger first, then rows (INV-3).

Within a table: deletes, then partial updates, then whole rows; each as few statements as the
server's limits allow, rows sorted by key. Tables with a secondary unique index are written by
DELETE and INSERT, so that a collision raises instead of hitting another row (C17); a collision
that remains is retried in source order by the isolation of bad records. Task thread only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from connectors.jdbc.buffer import Batch, Group, TableBuffer
from connectors.jdbc.change import APPEND, DELETE, MOVE, PARTIAL, REPLACE, ROW, Change, TablePlan
from connectors.jdbc.config import UPDATE, SinkSettings
from connectors.jdbc.dialects import Connection, Dialect, DuplicateKeyError, TableName, moved
from connectors.jdbc.keyless import KeylessWriter
from connectors.jdbc.lanes import LaneEnd
from connectors.jdbc.ledger import Ledger
from connectors.jdbc.rows import RowWriter, key_row
from connectors.jdbc.script import NeedsAnswers, Script
from connectors.jdbc.tables import GUARDED, REPLACE_ROWS, UPSERT, BoundTable, TableBook
from replicator.api import ConnectError, StructuralError

Missing = Callable[[Sequence[Change], int], None]
"""Told of partial rows that found no row: the changes, and how many were missing."""


class TableError(StructuralError):
    """A structural error with the table it concerns."""

    def __init__(self, table: TableName, cause: StructuralError) -> None:
        super().__init__(cause.message, hint=cause.hint)
        self.table = table


class Writer:
    """Writes changes over the task's connection.

    Attributes:
        rows: renders rows; counts values lost by policy.
        applied: changes applied per table.
    """

    def __init__(
        self, settings: SinkSettings, dialect: Dialect, ledger: Ledger, book: TableBook, missing: Missing
    ) -> None:
        self._settings = settings
        self._dialect = dialect
        self._ledger = ledger
        self._book = book
        self._missing = missing
        self._pending: Counter[str] = Counter()
        self._ends: Sequence[LaneEnd] = ()
        self.rows = RowWriter(settings, dialect)
        self._keyless = KeylessWriter(dialect, self.rows, lossy=settings.unrepresentable == "null")
        self.applied: Counter[str] = Counter()

    def prepare(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Bind every plan that occurs; DDL happens here, between transactions.

        Raises:
            TableError: a table cannot take its rows.
        """
        last: TablePlan | None = None
        for change in changes:
            plan = change.plan
            if plan is last or self._book.is_ready(plan):
                last = plan
                continue
            last = plan
            try:
                self._book.prepare(connection, plan)
            except StructuralError as error:
                connection.rollback()
                raise TableError(plan.table, error) from error

    def transaction(
        self,
        connection: Connection,
        ends: Sequence[LaneEnd],
        body: Callable[[], None],
        *,
        ahead: bool = False,
    ) -> None:
        """Run `body` between the ledger's update and the commit; whatever fails is rolled back.

        With `ahead` the server may still be at work on all of it, and `complete` must be the connection's next use.
        """
        self._pending.clear()
        self._ends = ends
        if ahead:
            connection.go_ahead()
        try:
            self._ledger.begin(connection, ends)
            body()
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        if not ahead:
            self._settle()

    def complete(self, connection: Connection) -> None:
        """Wait for the transaction that is ahead; what failed is rolled back."""
        try:
            connection.come_back()
        except BaseException:
            connection.rollback()
            raise
        self._settle()

    def _settle(self) -> None:
        for end in self._ends:
            end.settle()
        self.applied.update(self._pending)

    def apply(self, connection: Connection, changes: list[Change]) -> None:
        """Write changes inside the open transaction.

        Raises:
            TableError, DataError, RetriableError: by what the target says.
        """
        batch = Batch(self._settings.insert_mode).fill(changes)
        for table, buffer in batch.tables.items():
            try:
                self._table(connection, buffer)
            except StructuralError as error:
                raise TableError(table, error) from error

    def script(self, changes: list[Change]) -> Script | None:
        """The statements of `apply` as text, if they are known without asking the server; nothing is counted yet."""
        if not all(self._book.is_ready(plan) for plan in dict.fromkeys(c.plan for c in changes)):
            return None
        script = Script()
        pending, lost = self._pending, self.rows.lost
        self._pending, self.rows.lost = script.applied, script.lost
        try:
            self.apply(script, changes)
        except (NeedsAnswers, ConnectError, UnicodeEncodeError):
            return None  # errors are told when the batch is applied
        finally:
            self._pending, self.rows.lost = pending, lost
        return script

    def perform(self, connection: Connection, script: Script) -> None:
        """Write, in the open transaction of a connection that is ahead, what `script` made of its changes."""
        for text in script.texts:
            connection.start_text(text)
        self._pending.update(script.applied)
        self.rows.lost.update(script.lost)

    def guard(self, connection: Connection, ends: Sequence[LaneEnd]) -> None:
        """Check, in the open transaction, that the lanes are still this task's."""
        self._ledger.check(connection, ends)

    def truncate(self, connection: Connection, change: Change) -> None:
        """Empty a table; commits implicitly where the database does so (C18)."""
        bound = self._book.bound(change.plan)
        if bound is not None:
            connection.execute(self._dialect.truncate(bound.target.name))
            connection.commit()

    def _table(self, connection: Connection, buffer: TableBuffer) -> None:
        count = 0
        for segment in buffer.segments():
            count += len(segment)
            if isinstance(segment, dict):
                self._group(connection, segment)
            else:
                self._in_order(connection, segment)
        self._pending[str(buffer.table)] += count

    # --- groups: every key once ---

    def _group(self, connection: Connection, group: Group) -> None:
        rows: dict[TablePlan, list[Change]] = {}
        deletes: dict[TablePlan, list[Change]] = {}
        partials: dict[tuple[TablePlan, tuple[str, ...]], list[Change]] = {}
        for change in _by_key(group):
            op = change.op
            if op in (ROW, REPLACE):
                rows.setdefault(change.plan, []).append(change)
            elif op == DELETE:
                deletes.setdefault(change.plan, []).append(change)
            else:
                partials.setdefault((change.plan, tuple(change.row)), []).append(change)
        for plan, changes in rows.items():
            first = self._to_delete_first(plan, changes)
            if first:
                deletes.setdefault(plan, []).extend(first)
        for plan, changes in deletes.items():
            self._delete(connection, plan, changes)
        for (plan, fields), changes in partials.items():
            self._update(connection, plan, fields, changes)
        for plan, changes in rows.items():
            self._whole_rows(connection, plan, changes)

    def _to_delete_first(self, plan: TablePlan, changes: list[Change]) -> list[Change]:
        """Rows whose old form must go before they are written."""
        if self._settings.insert_mode == UPDATE:
            return []
        bound = self._bound(plan)
        if bound.strategy == REPLACE_ROWS:
            return changes
        return [] if bound.covers else [c for c in changes if c.op == REPLACE]

    def _whole_rows(self, connection: Connection, plan: TablePlan, changes: list[Change]) -> None:
        bound = self._bound(plan)
        if self._settings.insert_mode == UPDATE:
            self._update(connection, plan, plan.columns, changes, may_miss=True)
        elif bound.strategy == UPSERT:
            self.rows.run(connection, bound.upsert, changes)
        elif bound.strategy == GUARDED:
            self._guarded(connection, bound, changes)
        elif bound.strategy == REPLACE_ROWS:
            self.rows.run(connection, bound.insert, changes)
        else:
            self._one_by_one(connection, bound, changes)

    def _guarded(self, connection: Connection, bound: BoundTable, changes: list[Change]) -> None:
        """Upsert; rows that collide with others of the batch are deleted and written anew."""
        connection.come_back()  # what follows depends on how each statement ends
        connection.execute("SAVEPOINT replicator_rows")
        try:
            self.rows.run(connection, bound.upsert, changes)
        except DuplicateKeyError:
            connection.execute("ROLLBACK TO SAVEPOINT replicator_rows")
            if not bound.covers:
                raise
            self._delete(connection, bound.plan, changes)
            self.rows.run(connection, bound.insert, changes)

    def _one_by_one(self, connection: Connection, bound: BoundTable, changes: list[Change]) -> None:
        """Columns the records do not know must stay, and no other row may be hit: UPDATE, else INSERT."""
        connection.come_back()
        update = bound.update(bound.plan.columns)
        for change in changes:
            if update is None or not self.rows.run(connection, update, [change]):
                self.rows.run(connection, bound.insert, [change])

    def _delete(self, connection: Connection, plan: TablePlan, changes: list[Change]) -> None:
        bound = self._book.bound(plan)
        if bound is not None:
            self.rows.run(connection, bound.delete, changes, key_row)

    def _update(
        self,
        connection: Connection,
        plan: TablePlan,
        fields: tuple[str, ...],
        changes: list[Change],
        *,
        may_miss: bool = False,
    ) -> None:
        statement = self._bound(plan).update(fields)
        if statement is None:
            return
        connection.come_back()
        found = self.rows.run(connection, statement, changes)
        if found < len(changes) and not may_miss:
            self._missing(changes, len(changes) - found)

    # --- what keeps its place in the order ---

    def _in_order(self, connection: Connection, changes: list[Change]) -> None:
        start = 0
        while start < len(changes):
            end = start + 1
            first = changes[start]
            if first.op in (ROW, APPEND, DELETE):
                while end < len(changes) and changes[end].op == first.op and changes[end].plan is first.plan:
                    end += 1
            self._run_of(connection, changes[start:end])
            start = end

    def _run_of(self, connection: Connection, changes: list[Change]) -> None:
        first = changes[0]
        plan = first.plan
        if first.op in (ROW, APPEND):
            self._append(connection, plan, changes)
        elif first.op == DELETE:
            self._delete(connection, plan, changes)
        elif first.op == PARTIAL:
            self._update(connection, plan, tuple(first.row), changes)
        elif first.op == MOVE:
            self._move(connection, first)
        elif not self._keyless.apply(connection, self._bound(plan), first):
            self._missing(changes, 1)

    def _append(self, connection: Connection, plan: TablePlan, changes: list[Change]) -> None:
        bound = self._bound(plan)
        self.rows.run(connection, bound.insert, changes)

    def _move(self, connection: Connection, change: Change) -> None:
        """The row gets its new key; whatever has that key already is older (C16)."""
        bound = self._bound(change.plan)
        plan = change.plan
        row = {moved("old", k): v for k, v in zip(plan.keys, change.key, strict=True)}
        row |= {moved("new", k): v for k, v in zip(plan.keys, change.other, strict=True)}
        as_row = Change(MOVE, plan, change.key, row, change.other, change.record)
        connection.execute("SAVEPOINT replicator_move")
        try:
            self.rows.run(connection, bound.move, [as_row])
        except DuplicateKeyError:
            connection.execute("ROLLBACK TO SAVEPOINT replicator_move")
            self._delete(connection, plan, [Change(DELETE, plan, change.other, {}, None, change.record)])
            self.rows.run(connection, bound.move, [as_row])

    def _bound(self, plan: TablePlan) -> BoundTable:
        bound = self._book.bound(plan)
        if bound is None:
            raise StructuralError(f"Table {plan.table} is not known any more")
        return bound


def _by_key(group: Group) -> list[Change]:
    """Sorted by key where keys have an order: fewer deadlocks, better locality."""
    if len(group) == 1:
        return list(group.values())
    try:
        return [group[key] for key in sorted(group)]
    except TypeError:
        return list(group.values())
