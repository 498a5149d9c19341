"""`distributed --workers N` between the service manager and its workers: ready when all are, alive while it looks on.

Each worker speaks to a socket of the parent's, as it would to a service manager. With a watchdog, a worker that gives
no sign of life is ended; the parent then starts it anew. Used by the parent's main thread only.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Sequence
from typing import Final

from replicator.cli.notify import Notifier

_STATUS_SECONDS: Final = 5.0
_GRANTED_SECONDS: Final = 60.0
_LONGEST_MESSAGE: Final = 4096


class ChildSigns:
    """What one worker says.

    Attributes:
        ready: whether it has joined its group since it was started.
        heard: when it last said anything.
    """

    def __init__(self, watchdog_seconds: float | None) -> None:
        self.ready = False
        self.heard = 0.0
        self._seconds = watchdog_seconds
        self._address = f"replicator-{os.getpid()}-{secrets.token_hex(8)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind("\0" + self._address)
        self._socket.setblocking(False)

    def environment(self) -> dict[str, str]:
        """For the worker; what a former one said is forgotten."""
        self.read()
        self.ready, self.heard = False, time.monotonic()
        found = {"NOTIFY_SOCKET": "@" + self._address}
        if self._seconds:
            found["WATCHDOG_USEC"] = str(int(self._seconds * 1e6))
        return found

    def read(self) -> None:
        """Take note of what was said."""
        while True:
            try:
                message = self._socket.recv(_LONGEST_MESSAGE)
            except OSError:
                return  # nothing more
            self.heard = time.monotonic()
            self.ready = self.ready or b"READY=1" in message.split(b"\n")

    @property
    def hangs(self) -> bool:
        """Whether it works no more: it was ready, and has been silent for the time of the watchdog."""
        return bool(self.ready and self._seconds and time.monotonic() - self.heard > self._seconds)


class GroupHeartbeat:
    """Tells the service manager how the workers are; without one it does nothing."""

    def __init__(self, count: int, notifier: Notifier | None = None) -> None:
        self._notifier = notifier or Notifier.from_environment()
        seconds = self._notifier.watchdog_seconds
        self._signs = [ChildSigns(seconds) for _ in range(count)] if self._notifier.active else []
        self._period = min(_STATUS_SECONDS, (seconds or 4 * _STATUS_SECONDS) / 4)
        self._ready = False
        self._due = 0.0

    def environment(self, number: int) -> dict[str, str]:
        """What a worker that is started now has to know."""
        return self._signs[number].environment() if self._signs else {}

    def hangs(self, number: int) -> bool:
        """Whether a running worker has to be ended."""
        if not self._signs:
            return False
        self._signs[number].read()
        return self._signs[number].hangs

    def turn(self, running: Sequence[bool]) -> None:
        """One turn of the parent's loop, which knows what processes run."""
        now = time.monotonic()
        if not self._signs or now < self._due:
            return
        self._due = now + self._period
        ready = sum(signs.ready and runs for signs, runs in zip(self._signs, running, strict=True))
        status = f"{ready} of {len(self._signs)} workers are ready"
        if self._ready:
            self._notifier.watchdog()
            self._notifier.status(status)
        elif ready == len(self._signs):
            self._ready = self._notifier.ready(status)
        elif any(now - signs.heard < _GRANTED_SECONDS for signs in self._signs):
            self._notifier.starting(status, _GRANTED_SECONDS)

    def stopping(self) -> None:
        """The workers are told to end."""
        self._notifier.stopping("Stopping the workers")
