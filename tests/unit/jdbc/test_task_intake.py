"""How much of what was delivered is applied, and where it leaves the ledger."""

from __future__ import annotations

import pytest

from connectors.jdbc.config import SinkSettings
from connectors.jdbc.intake import Intake, completed_commit, whole_transactions
from connectors.jdbc.lanes import ANY, Lane, LaneEnd, ledger_id
from connectors.jdbc.plan import Planner
from replicator.api import DataError, SinkRecord, SourcePosition, TopicPartition
from replicator.api.position import COPY, STREAM
from tests.support.jdbc_sink import TOPIC, Feed

PARTITION = TopicPartition(TOPIC, 0)


def intake(lane: Lane, rejected: list[SinkRecord] | None = None) -> Intake:
    settings = SinkSettings(
        url="mysql://h/d",
        properties={},
        insert_mode="upsert",
        delete_enabled=True,
        truncate_enabled=True,
        pk_mode="record_key",
        table_naming="source",
    )

    def reject(record: SinkRecord, error: DataError) -> None:
        if rejected is None:
            raise error
        rejected.append(record)

    return Intake(Planner(settings), {PARTITION: lane}, reject)


def lane() -> Lane:
    return Lane("c", PARTITION, "log")


def test_whole_transactions_end_at_their_mark() -> None:
    feed = Feed()
    records = [
        feed.create(id=1),
        feed.create(id=2, end=False),
        feed.create(id=3),
        feed.create(id=4, end=False),
    ]
    assert whole_transactions(records) == 3
    assert whole_transactions(records[1:2]) == 0
    assert completed_commit(records) == 1010
    assert completed_commit(records[1:2]) is None


def test_a_later_transaction_completes_the_one_before() -> None:
    feed = Feed()
    first = feed.create(id=1, end=False)
    feed.clock.commit += 10
    assert whole_transactions([first, feed.create(id=2, end=False)]) == 1


@pytest.mark.parametrize("kind", ["copy", "none"])
def test_copied_rows_and_records_without_position_are_complete(kind: str) -> None:
    feed = Feed()
    feed.clock.phase = COPY
    record = feed.create(id=1, end=False)
    if kind == "none":
        record.headers = None
    assert whole_transactions([record]) == 1


def test_what_the_ledger_has_is_dropped() -> None:
    feed, mine = Feed(), lane()
    records = [feed.create(id=i) for i in range(5)]
    mine.next_offset = 3
    (run,) = intake(mine).runs(records)
    assert [c.key for c in run.changes] == [(3,), (4,)]
    (end,) = run.ends()
    assert (end.next_offset, end.position.commit if end.position else None) == (5, 1040)
    mine.next_offset = 5
    assert intake(mine).runs(records) == []


def test_positions_are_compared_until_the_first_later_one() -> None:
    feed, mine = Feed(), lane()
    records = [feed.create(id=i) for i in range(4)]
    mine.position, mine.checking = SourcePosition("slot1", STREAM, 1010, 0, True), True
    reader = intake(mine)
    (run,) = reader.runs(records)
    assert [c.key for c in run.changes] == [(2,), (3,)]
    assert reader.repeated == 2
    assert not mine.checking


def test_positions_of_another_log_or_phase_are_not_compared() -> None:
    for identity, phase in (("slot2", STREAM), ("slot1", COPY)):
        feed, mine = Feed(), lane()
        mine.position, mine.checking = SourcePosition(identity, phase, 99999, 0, True), True
        (run,) = intake(mine).runs([feed.create(id=1)])
        assert len(run.changes) == 1


def test_a_truncate_splits_and_keeps_each_part_s_end() -> None:
    feed, mine = Feed(), lane()
    records = [feed.create(id=1), feed.truncate(), feed.create(id=2)]
    runs = intake(mine).runs(records)
    assert [[c.key for c in r.changes] for r in runs] == [[(1,)], [], [(2,)]]
    assert runs[1].truncate is not None
    assert [r.ends()[0].next_offset for r in runs] == [1, 2, 3]


def test_a_bad_record_is_rejected_and_passed() -> None:
    feed, mine = Feed(), lane()
    good, bad = feed.create(id=1), feed.envelope("c", None, None)
    rejected: list[SinkRecord] = []
    (run,) = intake(mine, rejected).runs([good, bad])
    assert rejected == [bad]
    assert run.ends()[0].next_offset == 2
    with pytest.raises(DataError):
        intake(mine).runs([bad])


def test_a_skipped_record_moves_the_ledger_too() -> None:
    feed, mine = Feed(), lane()
    (run,) = intake(mine).runs([feed.envelope("m", None, None)])
    assert (run.changes, run.ends()[0].next_offset) == ([], 1)


def test_a_stopped_lane_takes_nothing() -> None:
    feed, mine = Feed(), lane()
    mine.stopped = "users"
    assert intake(mine).runs([feed.create(id=1)]) == []


def test_skipping_ends_at_the_truncate_and_is_the_same_when_delivered_again() -> None:
    feed, mine = Feed(), lane()
    mine.skip_below = ANY
    early = [feed.create(id=1), feed.tombstone(id=1)]
    assert intake(mine).runs(early) == []
    batch = [feed.create(id=2), feed.truncate(), feed.create(id=3)]
    for _ in range(2):
        barrier, rest = intake(mine).runs([*early, *batch])
        assert barrier.truncate is not None
        assert [end.next_offset for end in barrier.ends()] == [4]
        assert [c.record for c in rest.changes] == batch[2:]


def test_the_copys_consistent_point_is_kept() -> None:
    mine = lane()
    LaneEnd(mine, 1, SourcePosition("s", COPY, 500, 0, False)).settle()
    LaneEnd(mine, 2, SourcePosition("s", STREAM, 400, 0, True)).settle()
    LaneEnd(mine, 3, None).settle()
    assert (mine.copied_through, mine.next_offset) == (500, 3)
    assert mine.position == SourcePosition("s", STREAM, 400, 0, True)


def test_ledger_ids_differ_by_log() -> None:
    ids = {ledger_id("c", TopicPartition(t, p), log) for t in "ab" for p in (0, 1) for log in "xy"}
    assert len(ids) == 8
