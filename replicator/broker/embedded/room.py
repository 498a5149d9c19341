"""Room on the log's disk: appends end before it is full, so that removing what was consumed stays possible.

Removing messages needs space, too: for the write-ahead log, and for what a checkpoint moves out of it. Two things keep
it: appends are refused (`Log.limit`) while there is still room to move all of the write-ahead log into the file, and a
reserve file keeps some megabytes from everybody else. When room gets short, the reserve is given up, consumed messages
go at once instead of after their time, and the file shrinks; then the reserve is made again. Maintenance thread only.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from replicator.broker.embedded.log import UNLIMITED, Log

_log = logging.getLogger(__name__)

RESERVE: Final = 8 << 20
_SHARE_OF_DISK: Final = 32
"""On a small disk the reserve is this part of it."""
_EARLY: Final = 4
_RESERVE_FILE: Final = "log.reserve"


class Room:
    """Watches the space left for one log.

    Attributes:
        short: whether appends are refused, and the reserve may be used up.
    """

    def __init__(self, log: Log) -> None:
        self._log_state = log
        self._file: Path | None = None if log.path is None else log.path.parent / _RESERVE_FILE
        self.short = False

    def check(
        self, unmoved: Callable[[], int], checkpoint: Callable[[], None], make_room: Callable[[], None]
    ) -> None:
        """Look at the disk; set how much may still be appended.

        Args:
            unmoved: bytes of the write-ahead log that no checkpoint has moved yet, about.
            checkpoint: moves them.
            make_room: removes everything that may go.
        """
        if self._file is None:
            return
        size, spare = self._measure(unmoved())
        if spare < _EARLY * size and not self.short:
            # Perhaps a checkpoint is enough, or what was consumed in the last minutes.
            checkpoint()
            size, spare = self._measure(unmoved())
            if spare < _EARLY * size:
                make_room()
                size, spare = self._measure(unmoved())
        if self.short or spare <= 0 or self._log_state.was_full:
            self._say()
            self._log_state.limit = 0
            self._give_up_reserve()
            make_room()
            size, spare = self._measure(unmoved())
            # Not before there is room for the reserve and more: else it would be given up at once.
            if spare < 2 * size:
                return
            _log.warning("There is room again on the disk of %s.", self._file.parent)
            self.short = self._log_state.was_full = False
        if not self._file.exists() and spare > 2 * size:
            self._make_reserve(size)
            size, spare = self._measure(unmoved())
        # What is appended is written twice: now, and when it is moved.
        self._log_state.limit = self._log_state.written + max(spare, 0) // 2

    def release(self) -> None:
        """Nobody looks any more: appends are limited by the disk itself."""
        self._log_state.limit = UNLIMITED

    def _measure(self, unmoved: int) -> tuple[int, int]:
        """Size of the reserve on this disk, and bytes that may be used beside what a checkpoint needs."""
        assert self._file is not None
        disk = os.statvfs(self._file.parent)
        size = min(RESERVE, disk.f_blocks * disk.f_frsize // _SHARE_OF_DISK)
        # Pages of the index and of everything that is not a message come on top.
        return size, disk.f_bavail * disk.f_frsize - unmoved * 5 // 4 - size // 2

    def _say(self) -> None:
        if not self.short:
            assert self._file is not None
            _log.warning(
                "The disk of %s is nearly full: nothing is appended until what was consumed is removed.",
                self._file.parent,
            )
        self.short = True

    def _give_up_reserve(self) -> None:
        assert self._file is not None
        self._file.unlink(missing_ok=True)

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
