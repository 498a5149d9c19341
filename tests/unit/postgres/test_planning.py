"""What is to be copied when a session begins: tables with other names, and departures in words."""

from __future__ import annotations

from connectors.postgres.catalog import Relation
from connectors.postgres.config import CONFIG
from connectors.postgres.departures import Departures
from connectors.postgres.planning import NOT_COPIED, CopyPlan
from connectors.postgres.position import CopyState, Position, TableCopy
from connectors.postgres.snapshot import VOID

OPTIONS = {
    "topic.prefix": "s", "database.hostname": "h", "database.user": "u", "database.dbname": "d",
}  # fmt: skip
A, B = Relation(1, "public", "a"), Relation(2, "public", "b")
COPIED = Position(
    100,
    copy=CopyState({"public.a": TableCopy(7, done=True, oid=1), "public.b": TableCopy(8, done=True, oid=2)}),
)


def _plan(**options: str) -> CopyPlan:
    return CopyPlan(CONFIG.parse({**OPTIONS, **{k.replace("__", "."): v for k, v in options.items()}}))


def test_a_renamed_table_is_copied_behind_a_truncate() -> None:
    plan = _plan()
    captured = [Relation(1, "public", "c"), B]
    position, told = plan.renamed(COPIED, captured)
    position = plan.complete(position, captured, {})
    assert told == {"public.a": "public.c"}
    assert set(position.copy.tables) == {"public.b", "public.c"}
    assert [r.full_name for r in plan.todo(position, captured)] == ["public.c"]
    # Rows that the stream told under the new name already are void.
    assert position.copy.tables["public.c"].files == VOID
    assert plan.renamed(position, captured) == (position, {})


def test_tables_that_exchange_their_names_are_both_copied_anew() -> None:
    plan = _plan()
    captured = [Relation(2, "public", "a"), Relation(1, "public", "b")]
    position, told = plan.renamed(COPIED, captured)
    position = plan.complete(position, captured, {})
    assert told == {}, "both names are in use"
    assert {r.full_name for r in plan.todo(position, captured)} == {"public.a", "public.b"}
    assert {t.files for t in position.copy.tables.values()} == {VOID}


def test_a_renamed_table_is_not_copied_where_nothing_is() -> None:
    plan = _plan(snapshot__mode="no_data")
    captured = [Relation(1, "public", "c"), B]
    before = Position(100, copy=CopyState({"public.a": TableCopy(0, done=True, oid=1)}))
    position = plan.complete(plan.renamed(before, captured)[0], captured, {})
    assert plan.todo(position, captured) == []
    assert position.copy.tables["public.c"].point == NOT_COPIED.point


def test_departures_are_told_until_the_name_is_used_again() -> None:
    departures = Departures()
    there = [Relation(1, "other", "a")]
    departures.compare([A, B], there, set())
    moved, dropped = departures.sentences()
    assert "public.a was renamed other.a" in moved
    assert "is captured once it matches the filters" in moved
    assert dropped == "Table public.b was dropped: its rows remain in the target."
    # Who compares with a list without them does not forget them.
    departures.compare([], there, set())
    assert departures.sentences() == [moved, dropped]
    departures.compare([], [*there, Relation(3, "public", "b")], {"public.b"})
    assert departures.sentences() == [moved]
