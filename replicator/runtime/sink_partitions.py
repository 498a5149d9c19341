"""The partitions of a sink task: taking them over, reading them, holding them back, giving them up (task thread).

This is the consumer's rebalance listener; the client calls it inside `poll`, so on the same thread. A partition is
open to the task from `assigned` to `revoked`. A sink that keeps a ledger names its own positions in `open`: nothing
read before that seek is delivered (INV-3).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from replicator.api.errors import ConnectError
from replicator.api.record import TopicPartition
from replicator.api.sink import SinkTask
from replicator.broker.base import Consumer
from replicator.broker.message import Message
from replicator.runtime.contexts import SinkContext
from replicator.runtime.sink_batch import SinkBatch, first_offsets
from replicator.runtime.sink_positions import Positions, SinkPositions

log = logging.getLogger(__name__)


class SinkPartitions:
    """What one run of a sink task reads from."""

    def __init__(
        self,
        task: SinkTask,
        context: SinkContext,
        consumer: Consumer,
        positions: SinkPositions,
        batch: SinkBatch,
    ) -> None:
        self._task = task
        self._context = context
        self._consumer = consumer
        self._positions = positions
        self._batch = batch
        self._paused = False
        self._listener_error: Exception | None = None

    # Reading.

    def poll(self, limit: int, timeout: float) -> list[Message]:
        """The next messages; also where partitions come and go.

        Raises:
            Exception: what the task raised when partitions were opened or closed.
        """
        messages = self._consumer.poll(limit, timeout)
        if self._listener_error is not None:
            error, self._listener_error = self._listener_error, None
            raise error
        if self._context.seeks:
            self._seek(messages)
            return []
        return messages

    def unread(self, messages: Sequence[Message]) -> None:
        """Read these again, in order."""
        for partition, offset in first_offsets(messages).items():
            self._consumer.seek(partition, offset)

    def _seek(self, messages: Sequence[Message]) -> None:
        """Apply the task's own positions; what was read before them is read again, in order."""
        seeks, self._context.seeks = self._context.seeks, {}
        for partition, offset in (first_offsets(messages) | seeks).items():
            if partition in self._positions.assigned:
                self._consumer.seek(partition, offset)
        self._positions.reach(seeks)

    # Holding back: for a paused connector, and while a batch is delivered again.

    def pause(self) -> None:
        """Read nothing until `resume`, nor from partitions that come meanwhile."""
        self._paused = True
        self.hold()

    def resume(self) -> None:
        """Read again, except what the task itself paused."""
        self._paused = False
        self.release()

    def hold(self) -> None:
        """Read nothing of what we own now; polling it keeps the membership alive."""
        self._consumer.pause(list(self._positions.assigned))

    def release(self) -> None:
        """Read again, except what the task itself paused, or all while the connector is paused."""
        if not self._paused:
            own_pauses = self._context.paused
            self._consumer.resume([p for p in self._positions.assigned if p not in own_pauses])

    # Rebalancing: called by the consumer within poll.

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """Open new partitions; an error is kept for the loop, not raised through the client."""
        new = [p for p in partitions if p not in self._positions.assigned]
        if not new or self._listener_error is not None:
            return
        try:
            self._positions.add(new)
            self._task.open(new)
            if self._paused:
                self._consumer.pause(new)
        except Exception as error:  # noqa: BLE001 - raised again by the loop
            self._listener_error = error

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Commit and close partitions that go."""
        try:
            self._give_up([p for p in partitions if p in self._positions.assigned])
        except Exception as error:  # noqa: BLE001 - raised again by the loop
            self._listener_error = self._listener_error or error

    def give_up_all(self) -> None:
        """Commit and close all there are: the end of the run."""
        self._give_up(list(self._positions.assigned))

    def _give_up(self, partitions: list[TopicPartition]) -> None:
        """Final commit of partitions: prepared before the task's `close`, sent after it, as Connect does."""
        if not partitions:
            return
        safe: Positions = {}
        try:
            safe = self._positions.safe(set(partitions))
        except ConnectError as error:
            log.warning("%s: no final commit: %s", self._context.connector, error)
        try:
            self._task.close(partitions)
        finally:
            self._positions.commit(safe)
            self._forget(set(partitions))

    def _forget(self, gone: set[TopicPartition]) -> None:
        self._positions.forget(gone)
        self._context.paused.difference_update(gone)
        for partition in gone:
            self._context.seeks.pop(partition, None)
        self._batch.drop(gone)
