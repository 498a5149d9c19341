"""How much may still be appended to a log before its disk is too full (set by the maintenance thread, see `room`).

Spent under the log's lock. Who was refused waits for `granted`; the maintenance thread sleeps on `attention`, so room
is made, and used, as soon as there is reason to.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from replicator.api.errors import DiskFullError

UNLIMITED: Final = 1 << 62


class Budget:
    """See the module.

    Attributes:
        written: bytes added to the write-ahead log by appends so far, about.
        limit: appends that would take `written` beyond it are refused.
        wanted: size of the largest append refused since the last grant; 0 when none was.
        short: whether nothing may be appended until what was consumed has been removed.
        hungry: whether what is consumed should be let go soon.
        attention: set when the maintenance thread should look at once.
    """

    def __init__(self, path: Path | None) -> None:
        self.written = 0
        self.limit = UNLIMITED
        self.wanted = 0
        self.short = False
        self.hungry = False
        self.attention = threading.Event()
        self._path = path
        self._granted = threading.Event()

    def check(self, size: int) -> None:
        """Whether an append of this size is possible.

        Raises:
            DiskFullError: it is not.
        """
        if self.written + size > self.limit:
            raise self.refusal(size)

    def refusal(self, size: int) -> DiskFullError:
        """Why an append of this size is not possible, told to the maintenance thread."""
        self._granted.clear()
        self.wanted = max(self.wanted, size)
        self.attention.set()
        return no_space(self._path, self._granted)

    def committed(self) -> None:
        """A group's position moved: what it consumed may make room."""
        if self.hungry:
            self.attention.set()

    def grant(self, size: int, since: int) -> None:
        """Let appends of this size in all be made, counted from when `written` was `since`."""
        self.limit = since + size
        self.wanted = 0
        self._granted.set()

    def refuse(self) -> None:
        """Nothing may be appended."""
        self.short = True
        self.limit = 0


def no_space(path: Path | None, room: threading.Event | None = None) -> DiskFullError:
    """The disk is full, or nearly: what is left is needed to remove what was consumed."""
    return DiskFullError(
        f"No space left for the topic log {path}.",
        hint="Free space on that disk, set data.dir to a larger one, or wait for the target to consume what is there;"
        " work goes on by itself afterwards.",
        room=room,
    )
