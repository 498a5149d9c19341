"""Appends a source's messages until the broker has them: again when nothing was appended, in smaller pieces when the
log's disk has no room for all at once, around records that the broker refuses (task thread).

The offsets go with the last piece: what is read again after a crash between two pieces is appended twice (INV-1).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from replicator.api.errors import DataError, DiskFullError, RetriableError
from replicator.broker.message import NewMessage
from replicator.runtime.clock import Clock
from replicator.runtime.commits import Commits
from replicator.runtime.contexts import SourceContext
from replicator.runtime.inflight import PartitionOffset
from replicator.runtime.stats import TaskStats

log = logging.getLogger(__name__)

_RETRY: Final = 0.1
_DISK_FULL_RETRY: Final = 5.0
_LOOK_FOR_STOP: Final = 0.1
_WORTH_TELLING: Final = 0.5

Refused = Callable[[DataError, NewMessage | None], None]
"""Told of a message the broker does not take, None when it cannot be told which; raises when it must be taken."""


class Appender:
    """The way of one source task into the log."""

    def __init__(
        self,
        commits: Commits,
        context: SourceContext,
        stats: TaskStats,
        clock: Clock,
        refused: Refused,
        *,
        leave_out: bool,
    ) -> None:
        """`leave_out`: whether other messages are appended when one is refused."""
        self._commits = commits
        self._context = context
        self._stopping = context.stopping
        self._stats = stats
        self._clock = clock
        self._refused = refused
        self._leave_out = leave_out
        self._told = False

    def append(self, messages: Sequence[NewMessage], offsets: Sequence[PartitionOffset]) -> None:
        """Append all of them.

        Raises:
            ConnectError: a message was refused and must not be left out, or the task is to stop.
        """
        at, size = 0, max(1, len(messages))
        roomy = False
        while at < len(messages) or offsets:
            piece = messages[at : at + size]
            last = at + size >= len(messages)
            try:
                self._commits.append(list(piece), offsets if last else ())
            except DataError as error:
                self._append_apart(piece, error)
                at += len(piece)
            except RetriableError:
                self._stats.retries += 1
                if self._stopping.is_set():
                    raise
                self._clock.wait(self._stopping, _RETRY)
            except DiskFullError as error:
                if self._stopping.is_set():
                    raise
                if roomy:  # but not for so many
                    size = max(1, len(piece) // 2)
                roomy = self._has_room(error) if len(piece) > 1 or not roomy else self._pause(error)
            else:
                if last:
                    break
                at, size, roomy = at + size, 2 * size, False
        if self._told:
            self._told = False
            self._context.progress(warnings=[])

    def _has_room(self, error: DiskFullError) -> bool:
        """Wait a while; whether the broker says that there is room."""
        if error.room is None:
            return self._pause(error)
        began = self._clock.now()
        while not self._stopping.is_set() and (waited := self._clock.now() - began) < _DISK_FULL_RETRY:
            if error.room.wait(_LOOK_FOR_STOP):
                return True
            if waited >= _WORTH_TELLING:
                self._tell(error)
        return False

    def _pause(self, error: DiskFullError) -> bool:
        """Nobody says when there is enough room."""
        self._tell(error)
        self._clock.wait(self._stopping, _DISK_FULL_RETRY)
        return False

    def _tell(self, error: DiskFullError) -> None:
        if not self._told:
            self._told = True
            log.error("%s: %s", self._context.connector, error)
            self._context.progress(warnings=[str(error)])

    def _append_apart(self, messages: Sequence[NewMessage], error: DataError) -> None:
        """The broker refuses a message (too large, say): find it, append what is around it."""
        if not self._leave_out or len(messages) <= 1:
            self._refused(error, messages[0] if len(messages) == 1 else None)
            return
        middle = len(messages) // 2
        for part in (messages[:middle], messages[middle:]):
            self.append(part, ())
