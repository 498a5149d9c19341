"""Waits until connectors have a state, or says why they do not get there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from replicator.api.errors import NotFoundError
from replicator.cli.connect_client import ConnectClient

TRACE_LINES: Final = 4
_POLL: Final = 0.25


def failures(status: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(part, trace) of what FAILED."""
    parts = [("connector", status["connector"])]
    parts += [(f"task {t['id']}", t) for t in status["tasks"]]
    return [(name, str(part.get("trace") or "")) for name, part in parts if part["state"] == "FAILED"]


def reason(trace: str, lines: int = TRACE_LINES) -> str:
    """What to show of a trace: Java's starts with the reason, Python's ends with it."""
    text = trace.strip().splitlines()
    if not text:
        return "no reason was given"
    if text[0].startswith("Traceback"):
        last = max((i for i, line in enumerate(text) if line.startswith("Traceback")), default=0)
        text = [line for line in text[last + 1 :] if line and not line.startswith(" ")] or text[-1:]
    return "\n".join(line.rstrip() for line in text[:lines])


class Watcher:
    """Polls states.

    A status may be the old one for a moment: FAILED counts when it stays, the wanted state when it stays
    for `settle` seconds.
    """

    def __init__(
        self,
        client: ConnectClient,
        *,
        settle: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._settle = settle
        self._clock = clock
        self._sleep = sleep

    def wait(self, names: Sequence[str], state: str, seconds: float) -> dict[str, str]:
        """Wait for all; problems by name, empty when there are none."""
        deadline = self._clock() + seconds
        problems: dict[str, str] = {}
        for name in names:
            problem = self._one(name, state, deadline)
            if problem:
                problems[name] = problem
        return problems

    def _one(self, name: str, state: str, deadline: float) -> str | None:
        since: float | None = None
        failed_since: float | None = None
        status: Mapping[str, Any] = {}
        while True:
            now = self._clock()
            status = self._status(name)
            failed = failures(status) if status else []
            since = (now if since is None else since) if status and _is(status, state) else None
            failed_since = (now if failed_since is None else failed_since) if failed else None
            if since is not None and now - since >= self._settle:
                return None
            if failed_since is not None and now - failed_since >= max(3.0, self._settle):
                return "\n  ".join(f"{part} FAILED: {reason(trace)}" for part, trace in failed)
            if now >= deadline:
                return f"not {state} in time; {_described(status)}"
            self._sleep(_POLL)

    def _status(self, name: str) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = self._client.get("connectors", name, "status")
            return found
        except NotFoundError:
            return {}  # made a moment ago


def _is(status: Mapping[str, Any], state: str) -> bool:
    tasks = [t["state"] for t in status["tasks"]]
    if status["connector"]["state"] != state:
        return False
    if state == "STOPPED":
        return not tasks
    if state == "RUNNING" and status.get("type") == "sink" and not tasks:
        return False  # a sink always has a task
    return all(t == state for t in tasks)


def _described(status: Mapping[str, Any]) -> str:
    if not status:
        return "it has no status yet"
    tasks = ", ".join(f"task {t['id']} {t['state']}" for t in status["tasks"]) or "no tasks"
    return f"the connector is {status['connector']['state']}, {tasks}"
