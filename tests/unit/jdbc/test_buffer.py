"""One change per key and batch: merging gives what applying every change in order would give."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jdbc.buffer import Batch, Segment
from connectors.jdbc.change import DELETE, MOVE, PARTIAL, REPLACE, ROW, Change, TablePlan
from connectors.jdbc.dialects.model import TableName
from replicator.api import DataError, SinkRecord
from replicator.api.schema import INT64, OPTIONAL_STRING

PLAN = TablePlan(
    TableName(None, "t"), ("id",), (("id", INT64), ("a", OPTIONAL_STRING), ("b", OPTIONAL_STRING))
)
RECORD = SinkRecord("t", 0, None, None, None, None, 0)
Table = dict[int, dict[str, Any]]


def row(key: int, a: Any = None, b: Any = None) -> Change:
    return Change(ROW, PLAN, (key,), {"id": key, "a": a, "b": b}, None, RECORD)


def partial(key: int, **values: Any) -> Change:
    return Change(PARTIAL, PLAN, (key,), {"id": key, **values}, None, RECORD)


def delete(key: int) -> Change:
    return Change(DELETE, PLAN, (key,), {}, None, RECORD)


def move(key: int, new: int) -> Change:
    return Change(MOVE, PLAN, (key,), {}, (new,), RECORD)


def segments(changes: list[Change], mode: str = "upsert") -> list[Segment]:
    batch = Batch(mode).fill(changes)
    return [s for buffer in batch.tables.values() for s in buffer.segments()]


def in_order(table: Table, changes: list[Change]) -> Table:
    """What the source did, one change after the other."""
    table = {k: dict(v) for k, v in table.items()}
    for change in changes:
        key = change.key[0]
        if change.op in (ROW, REPLACE):
            table[key] = dict(change.row)
        elif change.op == PARTIAL and key in table:
            table[key] |= change.row
        elif change.op == DELETE:
            table.pop(key, None)
        elif change.op == MOVE and key in table:
            moved = table.pop(key)
            table[change.other[0]] = moved | {"id": change.other[0]}
    return table


def as_written(table: Table, parts: list[Segment]) -> Table:
    """What the writer does: in a group deletes, then partial rows, then whole rows."""
    for part in parts:
        if isinstance(part, list):
            table = in_order(table, part)
            continue
        changes = list(part.values())
        for ops in ((DELETE, REPLACE), (PARTIAL,), (ROW, REPLACE)):
            chosen = [c for c in changes if c.op in ops]
            if ops == (DELETE, REPLACE):
                chosen = [delete(c.key[0]) for c in chosen]
            table = in_order(table, chosen)
    return table


def test_one_statement_for_a_key_changed_five_times() -> None:
    (group,) = segments([row(1, n) for n in range(5)])
    assert isinstance(group, dict)
    assert [c.row["a"] for c in group.values()] == [4]


def test_a_partial_row_does_not_lose_a_value_set_earlier_in_the_batch() -> None:
    (group,) = segments([row(1, "long", 1), partial(1, b=2)])
    assert isinstance(group, dict)
    assert group[(1,)].op == ROW
    assert group[(1,)].row == {"id": 1, "a": "long", "b": 2}


def test_partial_rows_merge_by_column() -> None:
    (group,) = segments([partial(1, a="x"), partial(1, b="y"), partial(1, a="z")])
    assert isinstance(group, dict)
    assert group[(1,)].op == PARTIAL
    assert group[(1,)].row == {"id": 1, "a": "z", "b": "y"}


def test_insert_after_delete_replaces() -> None:
    (group,) = segments([delete(1), row(1, "new")])
    assert isinstance(group, dict)
    assert group[(1,)].op == REPLACE
    (group,) = segments([delete(1), row(1, "new"), row(1, "newer")])
    assert isinstance(group, dict)
    assert (group[(1,)].op, group[(1,)].row["a"]) == (REPLACE, "newer")


def test_delete_after_insert_deletes() -> None:
    (group,) = segments([row(1), delete(1)])
    assert isinstance(group, dict)
    assert group[(1,)].op == DELETE


def test_insert_mode_keeps_every_change_in_order() -> None:
    (part,) = segments([row(1), delete(1), row(1)], mode="insert")
    assert isinstance(part, list)
    assert [c.op for c in part] == [ROW, DELETE, ROW]


def test_another_schema_for_the_same_key_closes_the_group() -> None:
    wider = TablePlan(PLAN.table, ("id",), (*PLAN.fields, ("c", OPTIONAL_STRING)))
    second = Change(ROW, wider, (1,), {"id": 1, "a": "2", "b": None, "c": "x"}, None, RECORD)
    parts = segments([row(1, "1"), second, row(1, "3")])
    assert [next(iter(p.values())).row["a"] for p in parts if isinstance(p, dict)] == ["1", "2", "3"]


def test_keys_that_cannot_be_compared_are_a_data_error() -> None:
    bad = Change(DELETE, PLAN, ({"a": 1},), {}, None, RECORD)
    with pytest.raises(DataError, match="compared"):
        segments([bad])


def test_a_move_with_the_whole_row_known_needs_no_move() -> None:
    (group,) = segments([move(1, 2), row(2, "x")])
    assert isinstance(group, dict)
    assert {k[0]: c.op for k, c in group.items()} == {1: DELETE, 2: ROW}


KEYS = st.integers(0, 3)
VALUES = st.text("xyz", max_size=1)
CHANGES = st.lists(
    st.one_of(
        st.builds(row, KEYS, VALUES, VALUES),
        st.builds(lambda k, a: partial(k, a=a), KEYS, VALUES),
        st.builds(lambda k, b: partial(k, b=b), KEYS, VALUES),
        st.builds(delete, KEYS),
    ),
    max_size=14,
)


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Changes a source can produce: a key moves to a free one, and its new row follows at once."""
    out: list[Change] = []
    for change in draw(CHANGES):
        out.append(change)
        if draw(st.integers(0, 4)) == 0:
            old, new = draw(st.permutations(range(4)))[:2]
            out += [delete(new), move(old, new)]
            out.append(draw(st.sampled_from([row(new, "w", "w"), partial(new, a="p")])))
    return out


@given(st.dictionaries(KEYS, VALUES), histories())
def test_merging_changes_nothing(start: dict[int, str], changes: list[Change]) -> None:
    # A partial row of a missing key is dropped; the source never writes one after a delete of the key
    # but the order of both sides must agree all the same.
    table = {k: {"id": k, "a": v, "b": v} for k, v in start.items()}
    assert as_written(table, segments(changes)) == in_order(table, changes)
