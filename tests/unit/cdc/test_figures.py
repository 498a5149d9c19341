"""Debezium's metrics: phases, totals over sessions, percentiles, queue."""

from __future__ import annotations

from typing import Any

from connectors.cdc.figures import Figures
from connectors.cdc.queue import RecordQueue
from replicator.metrics import names_debezium


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Counts:
    def __init__(self, **counts: int) -> None:
        self.creates = self.updates = self.deletes = self.filtered = self.transactions = 0
        self.transaction_id = 0
        self.__dict__.update(counts)


def figures() -> tuple[Figures, Clock, RecordQueue]:
    clock, queue = Clock(), RecordQueue(10, 1000)
    return Figures("postgres", "shop", queue, lambda: 2, clock), clock, queue


def test_a_copy_then_the_stream() -> None:
    found, clock, _ = figures()
    tables: dict[str, dict[str, Any]] = {
        "a": {"state": "copying", "rows_done": 5, "rows_total": 9}, "b": {"state": "requested"}
    }  # fmt: skip
    found.phase("snapshot")
    clock.now += 3
    during = found.to_json(tables)["snapshot"]
    assert (during["TotalTableCount"], during["RemainingTableCount"]) == (2, 2)
    assert (during["SnapshotRunning"], during["SnapshotCompleted"]) == (True, False)
    assert during["SnapshotDurationInSeconds"] == 3
    assert during["RowsScanned"] == {"a": 5}
    assert during["TotalNumberOfEventsSeen"] == 5
    found.phase("streaming")
    clock.now += 10
    tables = {"a": {"state": "copied", "rows_done": 9}, "b": {"state": "copied", "rows_done": 0}}
    after = found.to_json(tables)
    assert after["snapshot"]["SnapshotCompleted"] is True
    assert after["snapshot"]["SnapshotRunning"] is False
    assert after["snapshot"]["SnapshotSkipped"] is False
    assert after["snapshot"]["RemainingTableCount"] == 0
    assert after["snapshot"]["SnapshotDurationInSeconds"] == 3
    assert after["streaming"]["Connected"] is True


def test_a_copy_that_was_broken_off_goes_on() -> None:
    found, _, _ = figures()
    found.phase("snapshot")
    found.phase("reconnecting")
    aborted = found.to_json({})
    assert aborted["snapshot"]["SnapshotAborted"] is True
    assert aborted["streaming"]["Connected"] is False
    found.phase("snapshot")
    assert found.to_json({})["snapshot"]["SnapshotAborted"] is False


def test_without_a_copy() -> None:
    found, _, _ = figures()
    found.phase("streaming")
    assert found.to_json({})["snapshot"]["SnapshotSkipped"] is True


def test_totals_go_on_over_sessions() -> None:
    found, clock, _ = figures()
    assert found.to_json({})["streaming"]["MilliSecondsSinceLastEvent"] == -1
    first = Counts(creates=3, updates=2, deletes=1, filtered=4, transactions=2)
    found.session(first)
    first.creates += 1
    found.session(Counts(creates=10, transactions=1, transaction_id=77))
    streaming = found.to_json({})["streaming"]
    assert streaming["TotalNumberOfCreateEventsSeen"] == 14
    assert streaming["TotalNumberOfUpdateEventsSeen"] == 2
    assert streaming["TotalNumberOfEventsSeen"] == 14 + 2 + 1 + 4
    assert streaming["NumberOfEventsFiltered"] == 4
    assert streaming["NumberOfCommittedTransactions"] == 3
    assert streaming["LastTransactionId"] == 77
    clock.now += 2
    assert found.to_json({})["streaming"]["MilliSecondsSinceLastEvent"] == 2000


def test_lags_and_queue() -> None:
    found, _, queue = figures()
    found.phase("streaming")
    queue.put([object(), object()], 300)  # type: ignore[list-item]
    streaming: dict[str, Any] = {}
    for behind in range(1, 101):
        found.behind_ms = float(behind)
        streaming = found.to_json({})["streaming"]
    prefix = "MilliSecondsBehindSource"
    shown = {name.removeprefix(prefix): value for name, value in streaming.items() if name.startswith(prefix)}
    assert shown == {
        "": 100, "MinValue": 1, "MaxValue": 100, "AverageValue": 50, "P50": 51, "P95": 96, "P99": 100
    }  # fmt: skip
    assert (streaming["QueueTotalCapacity"], streaming["QueueRemainingCapacity"]) == (10, 8)
    assert (streaming["MaxQueueSizeInBytes"], streaming["CurrentQueueSizeInBytes"]) == (1000, 300)


def test_all_attributes_are_documented() -> None:
    found, _, _ = figures()
    found.phase("streaming")
    found.session(Counts(transaction_id=1))
    shown = found.to_json({"a": {"rows_done": 1}})
    for context in ("snapshot", "streaming"):
        assert set(shown[context]) <= set(names_debezium.ATTRIBUTES), context
