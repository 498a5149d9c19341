"""How far the reader is: what it has handed out, and what of it is durable (INV-2).

`handed` and `declare_void` run on the reader thread, `acknowledge` on the task's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.cdc.queue import RecordQueue
from connectors.postgres.outbox import Outbox
from connectors.postgres.planning import void
from connectors.postgres.position import INCREMENTAL, CopyOffset, Position, StreamOffset
from replicator.api import SourceRecord, offset_only

log = logging.getLogger(__name__)


class Progress:
    """Goes forward with every batch that the queue takes.

    Attributes:
        position: position of the last record put into the queue; None before the first.
        durable: the highest durable position.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        queue: RecordQueue,
        partition: Mapping[str, Any],
        position: Position | None,
    ) -> None:
        self._queue = queue
        self._batch: int = options["max.batch.size"]
        self._manual = options["lsn.flush.mode"] == "manual"
        self._partition = partition
        self.position = position
        self.durable = 0

    def acknowledge(self, durable: int) -> None:
        """A position is durable: the server may be told so."""
        if not self._manual:
            self.durable = max(self.durable, durable)

    def outbox(self, while_waiting: Callable[[], None]) -> Outbox:
        """An outbox that fills the queue."""
        return Outbox(self._queue, self._batch, while_waiting)

    def handed(self, last: SourceRecord) -> None:
        """The queue has the records up to `last`: after a lost connection the reader goes on behind it."""
        offset = last.source_offset
        if isinstance(offset, CopyOffset):
            self.position = offset.position
        elif isinstance(offset, StreamOffset):
            part = offset.part
            assert self.position is not None
            self.position = self.position.moved(
                floor=part.floor,
                commit=part.commit,
                ordinal=offset.ordinal,
                incremental=part.base.get(INCREMENTAL, ""),
            )

    def declare_void(self, names: Sequence[str], check_stop: Callable[[], None]) -> None:
        """Store that tables are to be copied anew; the next session then does it."""
        assert self.position is not None
        log.info("Copying anew, as requested: %s", ", ".join(names))
        outbox = self.outbox(check_stop)
        offset = CopyOffset(void(self.position, names), time.time_ns() // 1000)
        outbox.records.append(offset_only(self._partition, offset))
        last = outbox.send()
        assert last is not None
        self.handed(last)
