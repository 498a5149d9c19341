"""Runs statements on a thread of its own, so that the task's thread can prepare what comes next.

One `Ahead` for each connection; the task's thread submits and settles, the other one runs. Nothing is run behind a
statement that failed: a COMMIT submitted last is sent only when all before it succeeded.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Check = Callable[[int], None]
"""Looks at the number of rows a statement found; raises what is wrong with it."""


class Ahead:
    """Statements in the order they were submitted."""

    def __init__(self, run: Callable[[bytes], int], name: str) -> None:
        """`run` executes a statement's text on the connection and answers with the number of rows found."""
        self._run = run
        self._name = name
        self._waiting: queue.SimpleQueue[tuple[bytes, Check | None] | threading.Event | None]
        self._waiting = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._unsettled = False

    def submit(self, text: bytes, check: Check | None = None) -> None:
        """Run this after everything submitted before, unless something fails."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
            self._thread.start()
        self._unsettled = True
        self._waiting.put((text, check))

    def settle(self) -> None:
        """Wait for everything submitted; raises what failed first."""
        if not self._unsettled:
            return
        reached = threading.Event()
        self._waiting.put(reached)
        reached.wait()
        self._unsettled = False
        error, self._error = self._error, None
        if error is not None:
            raise error

    def stop(self) -> None:
        """End the thread once it is done."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread = None

    def _loop(self) -> None:
        while (item := self._waiting.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
            elif self._error is None:
                self._try(*item)

    def _try(self, text: bytes, check: Check | None) -> None:
        try:
            found = self._run(text)
            if check is not None:
                check(found)
        except BaseException as error:  # noqa: BLE001 - raised again by settle, on the thread that can act on it
            self._error = error
