"""The comparison of source and target against databases made of dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from replicator.api.database import Canonical, ColumnInfo, Keys, TableInfo, TablePair
from replicator.cli.compare import TableComparison
from replicator.cli.table_pair import TableResult

Rows = dict[Any, Canonical]


class FakeSide:
    """Both protocols, over a dictionary of rows that a hook may change at each read."""

    def __init__(
        self, rows: list[Canonical], keys: int, hook: Callable[[FakeSide], None] | None = None
    ) -> None:
        self.data = list(rows)
        self._keys = keys
        self._hook = hook

    def rows(self, _what: object, columns: Sequence[str], keys: Keys | None = None) -> Iterator[Canonical]:
        if self._hook is not None:
            self._hook(self)
        chosen = [r for r in self.data if keys is None or r[: self._keys] in set(keys)]
        return iter(
            sorted(
                chosen,
                key=lambda r: tuple(int(v or 0) if (v or b"").isdigit() else v for v in r[: self._keys or 1]),
            )
        )

    def compared_as(self, pair: TablePair) -> TablePair:
        return pair

    def comparable(self, pair: TablePair) -> list[str]:
        return [c.name for c in pair.source.columns]

    def stored(self, column: ColumnInfo, value: bytes | None) -> bytes | None:
        return None if value == b"NaN" else value


def table(key_kind: str = "int", *, keyed: bool = True) -> TablePair:
    columns = (
        ColumnInfo(name="id", type="integer", key_position=1 if keyed else 0, kind=key_kind),
        ColumnInfo(name="v", type="numeric", kind="numeric"),
    )
    return TablePair(source=TableInfo(schema="public", name="t", columns=columns), target_name="t")


def compare(source: FakeSide, target: FakeSide, pair: TablePair) -> TableResult:
    return TableComparison(
        source,  # type: ignore[arg-type]
        target,  # type: ignore[arg-type]
        pair,
        catch_up=lambda: True,
        settle=0.02,
        timeout=2,
        progress=lambda _r: None,
    ).run()


def rows(n: int) -> list[Canonical]:
    return [(str(i).encode(), b"v%d" % i) for i in range(n)]


@pytest.mark.parametrize("kind", ["int", "numeric"], ids=["sorted keys", "buckets"])
class TestKeyed:
    def test_equal_tables_are_equal(self, kind: str) -> None:
        result = compare(FakeSide(rows(10_000), 1), FakeSide(rows(10_000), 1), table(kind))
        assert (result.status, result.rows, result.rechecked) == ("equal", 10_000, 0)

    def test_each_kind_of_difference_is_found_and_named(self, kind: str) -> None:
        target = rows(9_000)
        target[4321] = (b"4321", b"other")
        del target[77]
        target.append((b"999999", b"extra"))
        result = compare(FakeSide(rows(9_000), 1), FakeSide(target, 1), table(kind))
        assert result.status == "different"
        assert {(d.kind, d.key) for d in result.differences} == {
            ("changed", (b"4321",)),
            ("missing", (b"77",)),
            ("extra", (b"999999",)),
        }

    def test_values_lost_by_policy_are_counted_apart(self, kind: str) -> None:
        result = compare(
            FakeSide([(b"1", b"NaN"), (b"2", b"x")], 1),
            FakeSide([(b"1", None), (b"2", b"x")], 1),
            table(kind),
        )
        assert (result.status, dict(result.lost)) == ("policy", {"v": 1})

    def test_a_row_that_is_on_its_way_is_cleared(self, kind: str) -> None:
        reads = 0

        def arrive(side: FakeSide) -> None:
            nonlocal reads
            reads += 1
            if reads == 3:
                side.data = rows(100)

        result = compare(FakeSide(rows(100), 1), FakeSide(rows(99), 1, arrive), table(kind))
        assert (result.status, result.rechecked) == ("equal", 1)


def test_a_row_updated_all_the_time_is_equal_when_the_target_shows_an_earlier_value() -> None:
    count = 0

    def tick(side: FakeSide) -> None:
        nonlocal count
        count += 1
        side.data = [(b"1", b"v%d" % count)]

    source = FakeSide([], 1, tick)
    target = FakeSide([(b"1", b"v2")], 1)  # what the source had at the first recheck
    assert compare(source, target, table()).status == "equal"


def test_keyless_tables_are_compared_as_multisets() -> None:
    same = [(b"1", b"a"), (b"1", b"a"), (b"2", b"b")]
    assert compare(FakeSide(same, 0), FakeSide(list(reversed(same)), 0), table(keyed=False)).status == "equal"
    fewer = [(b"1", b"a"), (b"2", b"b"), (b"2", b"b")]
    result = compare(FakeSide(same, 0), FakeSide(fewer, 0), table(keyed=False))
    assert result.status == "different"
    assert {(d.kind, d.key) for d in result.differences} == {
        ("missing", (b"1", b"a")),
        ("extra", (b"2", b"b")),
    }


def test_a_keyless_table_that_grows_all_the_time_is_equal() -> None:
    log: list[Canonical] = [(b"0", b"a")]

    def grow(side: FakeSide) -> None:
        log.append((str(len(log)).encode(), b"a"))
        side.data = list(log)

    source, target = FakeSide([], 0, grow), FakeSide([], 0, grow)
    result = compare(source, target, table(keyed=False))
    assert (result.status, result.difference_count) == ("equal", 0)


def test_a_keyless_row_that_is_missing_under_writes_is_found() -> None:
    log: list[Canonical] = [(b"0", b"a"), (b"999", b"x")]

    def grow(side: FakeSide) -> None:
        log.append((str(len(log)).encode(), b"a"))
        side.data = [r for r in log if side is source or r[0] != b"999"]

    source = FakeSide([], 0, grow)
    target = FakeSide([], 0, grow)
    result = compare(source, target, table(keyed=False))
    assert result.status == "different"
    assert ("missing", (b"999", b"x")) in {(d.kind, d.key) for d in result.differences}


def test_a_row_updated_all_the_time_whose_target_stands_still_is_different() -> None:
    count = 0

    def tick(side: FakeSide) -> None:
        nonlocal count
        count += 1
        side.data = [(b"1", b"v%d" % count)]

    result = compare(FakeSide([], 1, tick), FakeSide([(b"1", b"old")], 1), table())
    assert (result.status, result.difference_count) == ("different", 1)


def test_a_row_that_moves_on_both_sides_is_equal_and_counted() -> None:
    count = 0

    def tick(side: FakeSide) -> None:
        nonlocal count
        count += 1
        side.data = [(b"1", b"%s%d" % (b"s" if side is source else b"t", count))]

    source, target = FakeSide([], 1, tick), FakeSide([], 1, tick)
    result = compare(source, target, table())
    assert (result.status, result.moving) == ("equal", 1)


def test_a_moving_row_is_judged_by_the_columns_that_stand_still() -> None:
    columns = (
        ColumnInfo(name="id", type="integer", key_position=1, kind="int"),
        ColumnInfo(name="n", type="integer", kind="int"),
        ColumnInfo(name="v", type="text", kind="text"),
    )
    pair = TablePair(source=TableInfo(schema="public", name="t", columns=columns), target_name="t")

    def compared(first: bytes, later: bytes) -> TableResult:
        reads = 0

        def tick(side: FakeSide) -> None:
            nonlocal reads
            reads += 1
            mark = b"1" if side is source else b"2"
            value = b"right" if side is source else (first if reads < 6 else later)
            side.data = [(b"1", mark + b"%d" % reads, value)]

        source, target = FakeSide([], 1, tick), FakeSide([], 1, tick)
        return compare(source, target, pair)

    assert compared(b"late", b"right").status == "equal"
    wrong = compared(b"right", b"wrong")
    assert (wrong.status, wrong.difference_count) == ("different", 1)


def test_rows_on_their_way_when_the_target_lags_are_not_called_different() -> None:
    result = TableComparison(
        FakeSide(rows(3), 1),  # type: ignore[arg-type]
        FakeSide(rows(2), 1),  # type: ignore[arg-type]
        table(),
        catch_up=lambda: False,
        settle=0.02,
        timeout=0.2,
        progress=lambda _r: None,
    ).run()
    assert (result.status, result.difference_count) == ("unknown", 0)
    assert "on their way" in result.reason
