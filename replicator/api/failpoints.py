"""Named points where a test may kill or break the process.

`failpoint("before_append")` does nothing unless the environment arms it:
`REPLICATOR_FAILPOINTS="before_append:kill@3,before_put:raise@1"` kills the process (SIGKILL, as a
power loss would) at the third pass, or raises at the first. Placed per batch, never per record.
"""

from __future__ import annotations

import os
import signal
import threading

from replicator.api.errors import ConnectError

VARIABLE = "REPLICATOR_FAILPOINTS"

_armed: dict[str, tuple[str, int]] = {}
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Pass a named point.

    Raises:
        ConnectError: the point is armed with `raise`.
    """
    if _armed:
        _pass(name)


def arm(text: str) -> None:
    """Arm points from the variable's form `name:kill@N,name:raise@N`; an empty text disarms all.

    Raises:
        ValueError: the text has another form.
    """
    with _lock:
        _armed.clear()
        for part in filter(None, (p.strip() for p in text.split(","))):
            name, _, action = part.partition(":")
            verb, _, count = action.partition("@")
            if verb not in ("kill", "raise"):
                raise ValueError(f"{part}: expected name:kill@N or name:raise@N")
            _armed[name] = (verb, int(count or "1"))


def _pass(name: str) -> None:
    with _lock:
        if name not in _armed:
            return
        verb, left = _armed[name]
        _armed[name] = (verb, left - 1)
    if left != 1:
        return
    if verb == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise ConnectError(f"Failpoint {name}")


arm(os.environ.get(VARIABLE, ""))
