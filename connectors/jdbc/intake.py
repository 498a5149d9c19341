"""Delivered records -> runs: what is to be applied together, without what is applied already.

Drops records the ledger has (by offset; by source position after a change of the log, C9), plans
the rest, and splits at truncates (C18). Also decides how many of the records at hand form whole
source transactions (D13). Task thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectors.jdbc.change import MOVE, TRUNCATE, Change
from connectors.jdbc.lanes import Lane, LaneEnd, position_of, position_text
from connectors.jdbc.plan import Planner
from replicator.api import ChangeSinkRecord, ConnectError, DataError, SinkRecord, Struct, TopicPartition
from replicator.api.position import STREAM

Reject = Callable[[SinkRecord, DataError], None]


class Run:
    """Changes for one target transaction, and where it leaves the lanes.

    Attributes:
        changes: in source order.
        last: last record per lane.
        truncate: instead of changes, a table to empty.
    """

    __slots__ = ("changes", "last", "truncate")

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.last: dict[Lane, SinkRecord] = {}
        self.truncate: Change | None = None

    @property
    def stopped(self) -> list[Lane]:
        """Lanes that were stopped since the run was made (C23)."""
        return [lane for lane in self.last if lane.stopped]

    def ends(self) -> list[LaneEnd]:
        """Ends of the lanes that are not stopped."""
        return [
            LaneEnd(lane, record.original_kafka_offset + 1, position_of(record))
            for lane, record in self.last.items()
            if not lane.stopped
        ]


class Intake:
    """Plans records for the lanes of a task.

    Attributes:
        repeated: records skipped because their position was applied already.
    """

    def __init__(self, planner: Planner, lanes: Mapping[TopicPartition, Lane], reject: Reject) -> None:
        self._planner = planner
        self._lanes = lanes
        self._reject = reject
        self.repeated = 0

    def runs(self, records: Sequence[SinkRecord]) -> list[Run]:
        """What to apply, in order.

        Raises:
            DataError: a record has no meaning and errors are not tolerated.
        """
        run = Run()
        runs = [run]
        add, last = run.changes.append, run.last
        lanes, planner = self._lanes, self._planner
        topic = number = plan = key_schema = value_schema = None
        lane: Lane | None = None
        for record in records:
            if record.original_topic != topic or record.original_kafka_partition != number:
                topic, number = record.original_topic, record.original_kafka_partition
                lane = lanes.get(TopicPartition(topic, number))
                plan = None
            if lane is None or lane.stopped or record.original_kafka_offset < lane.next_offset:
                continue
            if record.original_kafka_offset < lane.skip_below and not self._ends_skipping(lane, record):
                continue
            last[lane] = record
            if lane.checking and self._is_repeat(lane, record):
                continue
            try:
                if (
                    plan is None
                    or record.value_schema is not value_schema
                    or record.key_schema is not key_schema
                ):
                    key_schema, value_schema = record.key_schema, record.value_schema
                    plan = planner.plan_for(record)
                change = plan(record)
            except DataError as error:
                plan = None
                self._reject(record, error)
                continue
            except (AttributeError, KeyError, TypeError) as error:
                self._reject(record, DataError(f"The record does not fit its schema: {error!r}"))
                continue
            if change is None:
                continue
            if change.op == MOVE:
                self._one_partition(lane, "A key change")
            if change.op == TRUNCATE:
                self._one_partition(lane, "A truncate")
                del last[lane]
                run = self._truncate(runs, lane, record, change)
                add, last = run.changes.append, run.last
            else:
                add(change)
        return [r for r in runs if r.last]

    def _one_partition(self, lane: Lane, what: str) -> None:
        """Some changes concern several partitions, whose order against each other is unknown (C13)."""
        topic, number = lane.partition
        if number or TopicPartition(topic, 1) in self._lanes:
            raise ConnectError(
                f"{what} in topic {topic} cannot be applied: the topic has several partitions.",
                hint="Give the topic one partition.",
            )

    @staticmethod
    def _ends_skipping(lane: Lane, record: SinkRecord) -> bool:
        """Whether this is the truncate that makes void what is before it; until it is applied, nothing is skipped
        for good: the lane's offset stays.
        """
        value = record.value
        if not isinstance(value, Struct) or value.fields.get("op") != "t":
            return False
        lane.skip_below = record.original_kafka_offset
        return True

    def _is_repeat(self, lane: Lane, record: SinkRecord) -> bool:
        position = position_of(record)
        if position is None or not lane.is_repeat(position):
            return False
        self.repeated += 1
        return True

    def _truncate(self, runs: list[Run], lane: Lane, record: SinkRecord, change: Change) -> Run:
        """Close the open run, add the truncate, open another; the lane's earlier end stays in the first."""
        barrier = Run()
        barrier.truncate = change
        barrier.last[lane] = record
        before = runs[-1]
        mine = [c.record for c in before.changes if _is_of(c.record, lane)]
        if mine:
            before.last[lane] = mine[-1]
        following = Run()
        runs += [barrier, following]
        return following


def _is_of(record: SinkRecord, lane: Lane) -> bool:
    return (
        record.original_topic == lane.partition.topic
        and record.original_kafka_partition == lane.partition.partition
    )


def whole_transactions(records: Sequence[SinkRecord]) -> int:
    """How many of the records, from the start, may be applied without splitting a source transaction.

    A record completes what is before it when it ends a transaction, is a copied row, or has no
    position; so does a record of a later transaction for everything before it.
    """
    later: int | None = None
    for i in range(len(records) - 1, -1, -1):
        record = records[i]
        if type(record) is ChangeSinkRecord:
            change = record.change
            commit = change.origin.commit
            if change.end or change.origin.phase != STREAM:
                return i + 1
        else:
            text = position_text(record)
            if not text or not text.startswith(STREAM) or text.endswith(":1"):
                return i + 1
            commit = int(text.split(":")[2])
        if later is not None and commit != later:
            return i + 1
        later = commit
    return 0


def completed_commit(records: Sequence[SinkRecord]) -> int | None:
    """Commit position of the last source transaction that ends within the records."""
    for record in reversed(records):
        text = position_text(record)
        if text and not text.startswith(STREAM):
            return None  # copied rows belong to no transaction, and there are thousands of them
        if text and text.endswith(":1"):
            return int(text.split(":")[2])
    return None
