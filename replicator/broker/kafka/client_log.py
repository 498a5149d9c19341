"""What librdkafka logs, as this process's log: a broker that is away is told of once in a while, not at every try.

Called on whatever thread serves a client.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import Final

client_log = logging.getLogger("replicator.broker.kafka.client")

_PERIOD: Final = 10.0
_REPEATED: Final = re.compile(r"^(FAIL|ERROR|CONNECT|REQTMOUT|TIMEOUT) \[(.*?)#")
# librdkafka calls an option experimental that we set ourselves, for every producer anew.
_OURS: Final = "enable.gapless.guarantee"


class Quiet(logging.Filter):
    """Lets one line of a kind and client through every ten seconds; connection errors are warnings."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._next: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        text = record.getMessage()
        if _OURS in text:
            return False
        found = _REPEATED.match(text)
        if found is None:
            return True
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        kind = (found[1], found[2])
        now = time.monotonic()
        with self._lock:
            if now < self._next.get(kind, 0.0):
                return False
            self._next[kind] = now + _PERIOD
        return True


client_log.addFilter(Quiet())
