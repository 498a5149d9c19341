"""Life of a task: one thread, its state, pause, stop, failure, and restart after lost connections.

A RetriableError that leaves the work (a database that restarts at night), or a full disk of the log, starts the
task again from its stored offsets, with exponential backoff from 1 to 30 seconds, for ever; the state shows
RESTARTING meanwhile. Any other error is FAILED with its trace.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from replicator.api.errors import DiskFullError, IllegalStateError, RetriableError
from replicator.runtime.clock import Clock

log = logging.getLogger(__name__)

RUNNING: Final = "RUNNING"
PAUSED: Final = "PAUSED"
FAILED: Final = "FAILED"
RESTARTING: Final = "RESTARTING"
STOPPED: Final = "STOPPED"
UNASSIGNED: Final = "UNASSIGNED"

FIRST_BACKOFF: Final = 1.0
LONGEST_BACKOFF: Final = 30.0
_HEALTHY_SECONDS: Final = 60.0

StateListener = Callable[[str, str | None], None]
"""Told (state, trace) on each change, on the task's thread."""


class TaskWork(Protocol):
    """One start-to-stop run of a task; every method on the task thread except `wake` and `signal`."""

    def start(self) -> None:
        """Acquire everything and begin."""
        ...

    def step(self) -> None:
        """One turn of the loop, at most about a second long without work."""
        ...

    def pause(self) -> None:
        """Stop moving records."""
        ...

    def resume(self) -> None:
        """Move them again."""
        ...

    def idle(self) -> None:
        """One turn while paused."""
        ...

    def close(self) -> None:
        """Commit what can be committed and release everything; also after a failure."""
        ...

    def wake(self) -> None:
        """Let a waiting turn end soon (any thread)."""
        ...

    def signal(self, kind: str, data: Mapping[str, Any]) -> None:
        """Pass a request on to the started task (any thread)."""
        ...


class TaskRunner:
    """Runs works of one task on one thread.

    Attributes:
        state: RUNNING, PAUSED, FAILED, RESTARTING or UNASSIGNED (not begun, or ended).
        trace: why it is FAILED or RESTARTING.
        stopping: set when the task is to end.
        work: the present work, or None between two.
    """

    def __init__(
        self, name: str, make_work: Callable[[], TaskWork], stopping: threading.Event, clock: Clock,
        on_state: StateListener, *, paused: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self.state = UNASSIGNED
        self.trace: str | None = None
        self.stopping = stopping
        self.work: TaskWork | None = None
        self._make_work = make_work
        self._clock = clock
        self._on_state = on_state
        self._abandoned = False
        self._turned = clock.now()
        self._paused = threading.Event()
        if paused:
            self._paused.set()
        self._thread = threading.Thread(target=self._run, name=f"task-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self) -> None:
        """Ask for PAUSED."""
        self._paused.set()
        self._wake()

    def resume(self) -> None:
        """Ask for RUNNING."""
        self._paused.clear()
        self._wake()

    def signal(self, kind: str, data: Mapping[str, Any]) -> None:
        """Pass a request on to the running task.

        Raises:
            IllegalStateError: it does not run just now.
        """
        work, state = self.work, self.state
        if work is None or state not in (RUNNING, PAUSED):
            raise IllegalStateError(f"Task {self.name} is {state} and cannot take a signal.")
        work.signal(kind, data)
        self._wake()

    def stop(self) -> None:
        """Ask for the end; returns at once."""
        self.stopping.set()
        self._wake()

    def join(self, timeout: float) -> bool:
        """Wait for the end; False when the task is abandoned."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """Nobody waits for it any more, and somebody else may have its work: its state is no news (any thread)."""
        self._abandoned = True

    def silent_for(self) -> float:
        """Seconds since the present step, or the start of the work, began; 0 while there is no work (any thread)."""
        return 0.0 if self.work is None else self._clock.now() - self._turned

    def _wake(self) -> None:
        work = self.work
        if work is not None:
            work.wake()

    def _run(self) -> None:
        attempts = 0
        while not self.stopping.is_set():
            began = self._clock.now()
            try:
                self._run_once()
                break
            except (RetriableError, DiskFullError) as error:
                if self.stopping.is_set():
                    break
                attempts = 0 if self._clock.now() - began > _HEALTHY_SECONDS else attempts
                delay = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2**attempts)
                attempts = min(attempts + 1, 10)
                log.warning("%s: %s Trying again in %g s.", self.name, error, delay)
                self._set_state(RESTARTING, _trace(error))
                self._clock.wait(self.stopping, delay)
            except Exception as error:
                log.error("%s: Task threw an uncaught and unrecoverable exception", self.name, exc_info=error)
                self._set_state(FAILED, _trace(error))
                return
        self.state = UNASSIGNED

    def _run_once(self) -> None:
        self._turned = self._clock.now()
        work = self._make_work()
        self.work = work
        try:
            work.start()
            self._turn(work)
        finally:
            self.work = None
            try:
                work.close()
            except Exception:
                # The error that ended the work is the one to show; what was not committed is read again.
                log.exception("%s: could not be closed cleanly", self.name)

    def _turn(self, work: TaskWork) -> None:
        stopping, paused, now = self.stopping, self._paused, self._clock.now
        while not stopping.is_set():
            self._turned = now()
            if paused.is_set():
                if self.state != PAUSED:
                    work.pause()
                    self._set_state(PAUSED)
                work.idle()
            else:
                if self.state != RUNNING:
                    if self.state == PAUSED:
                        work.resume()
                    self._set_state(RUNNING)
                work.step()

    def _set_state(self, state: str, trace: str | None = None) -> None:
        self.state, self.trace = state, trace
        if not self._abandoned:
            self._on_state(state, trace)


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
