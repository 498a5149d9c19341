"""What the service manager is told (sd_notify): ready, alive, stopping, and one line about the state.

The protocol is one datagram of `NAME=value` lines to the socket that NOTIFY_SOCKET names; see sd_notify(3). Without
that variable every method does nothing. Used by the main thread only.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping
from typing import Final

log = logging.getLogger(__name__)

_LONGEST_STATUS: Final = 400


class Notifier:
    """Speaks to the service manager.

    Attributes:
        watchdog_seconds: it wants a sign of life at least this often; None: never.
    """

    def __init__(self, address: str | None, watchdog_seconds: float | None = None) -> None:
        """Speak to a socket's path (`@name`: an abstract one); None: to nobody."""
        self.watchdog_seconds = watchdog_seconds if address else None
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            # A service manager that does not read must not hold up replication; the next turn says it again.
            self._socket.setblocking(False)

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str] = os.environ) -> Notifier:
        """As the service manager started this process; child processes will not speak in its name."""
        address = environ.pop("NOTIFY_SOCKET", None)
        period = environ.pop("WATCHDOG_USEC", None)
        meant = environ.pop("WATCHDOG_PID", None)
        if address is not None and not address.startswith(("/", "@")):
            log.warning("NOTIFY_SOCKET=%s is no unix socket: the service manager is told nothing.", address)
            address = None
        mine = meant is None or meant == str(os.getpid())
        seconds = int(period) / 1e6 if period and period.isdigit() and int(period) and mine else None
        return cls(address, seconds)

    @property
    def active(self) -> bool:
        """Whether somebody listens."""
        return self._socket is not None

    def ready(self, status: str) -> bool:
        """The service works from now on; False when it could not be said."""
        return self._send("READY=1", _status(status))

    def status(self, status: str) -> bool:
        """One line for `systemctl status`; False when it could not be said."""
        return self._send(_status(status))

    def watchdog(self) -> bool:
        """A sign of life; False when it could not be said."""
        return self._send("WATCHDOG=1")

    def starting(self, status: str, seconds: float) -> bool:
        """Not ready yet, but alive: it may take this much longer. False when it could not be said."""
        return self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}", _status(status))

    def stopping(self, status: str) -> bool:
        """The service ends; False when it could not be said."""
        return self._send("STOPPING=1", _status(status))

    def _send(self, *lines: str) -> bool:
        if self._socket is None or self._address is None:
            return False
        try:
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.debug("The service manager was not reached: %s", error)
            return False
        return True


def _status(text: str) -> str:
    """A line break would begin another variable."""
    return "STATUS=" + " ".join(text.split())[:_LONGEST_STATUS]
