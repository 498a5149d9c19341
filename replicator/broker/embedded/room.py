"""Room on the log's disk: appends end before it is full, so that removing what was consumed stays possible.

Removing messages needs space, too: for the write-ahead log, and for what a checkpoint moves out of it. Two things keep
it: appends are refused (`Budget`) while there is still room to move all of the write-ahead log into the file, and a
reserve file keeps some megabytes from everybody else. When room gets short, the reserve is given up, consumed messages
go at once instead of after their time, and the file shrinks; then the reserve is made again. Maintenance thread only.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from replicator.api.errors import DiskFullError
from replicator.broker.embedded.budget import UNLIMITED
from replicator.broker.embedded.log import Log

_log = logging.getLogger(__name__)

RESERVE: Final = 8 << 20
_SHARE_OF_DISK: Final = 32
"""On a small disk the reserve is this part of it."""
_RESERVE_FILE: Final = "log.reserve"


class Room:
    """Watches the space left for one log."""

    def __init__(self, log: Log) -> None:
        self._log_state = log
        self._budget = log.budget
        self._file: Path | None = None if log.path is None else log.path.parent / _RESERVE_FILE

    def check(self, gains: Sequence[Callable[[], None]]) -> None:
        """Look at the disk; set how much may still be appended.

        Args:
            gains: what makes room, the cheapest first; done as far as it is needed.
        """
        if self._file is None:
            return
        budget = self._budget
        since = budget.written
        size, room = self._gain(gains)
        if room < size // 2 and not budget.short:
            _log.warning(
                "The disk of %s is nearly full: nothing is appended until what was consumed is removed.",
                self._file.parent,
            )
            budget.refuse()
            self._file.unlink(missing_ok=True)
            size, room = self._gain(gains)
        budget.hungry = room < max(2 * size, budget.wanted)
        if budget.short:
            # Not before there is room for the reserve and more: else it would be given up at once.
            if room < 2 * size:
                return
            _log.warning("There is room again on the disk of %s.", self._file.parent)
            budget.short = False
        if not self._file.exists() and room >= 2 * size:
            self._make_reserve(size)
            size, room = self._measure()
        budget.grant(max(room, 0), since)

    def release(self) -> None:
        """Nobody looks any more: appends are limited by the disk itself."""
        self._budget.grant(UNLIMITED, 0)

    def free(self) -> int:
        """Bytes free on the disk."""
        assert self._file is not None
        disk = os.statvfs(self._file.parent)
        return disk.f_bavail * disk.f_frsize

    def _gain(self, gains: Sequence[Callable[[], None]]) -> tuple[int, int]:
        """Make room until there is enough; answers as `_measure`."""
        size, room = self._measure()
        for gain in gains:
            if room >= max(2 * size, self._budget.wanted):
                break
            try:
                gain()
            except DiskFullError as error:
                # A checkpoint may have no room to move everything to; less is left of it after the next steps.
                _log.debug("Not all room could be made: %s", error)
            size, room = self._measure()
        return size, room

    def _measure(self) -> tuple[int, int]:
        """Size of the reserve on this disk, and bytes that may be appended."""
        assert self._file is not None
        disk = os.statvfs(self._file.parent)
        size = min(RESERVE, disk.f_blocks * disk.f_frsize // _SHARE_OF_DISK)
        growth, unused = self._log_state.space()
        spare = disk.f_bavail * disk.f_frsize - growth - size // 2
        # What is appended is written twice: now, and when it is moved to where the file has no space for it yet.
        return size, min(spare, (spare + unused) // 2)

    def _make_reserve(self, size: int) -> None:
        assert self._file is not None
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            _log.debug("No reserve for the topic log: %s", error)
            self._file.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
