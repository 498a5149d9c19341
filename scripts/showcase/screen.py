"""What the demo prints: steps, notes and one status line per second; colours only on a terminal."""

from __future__ import annotations

import os
import sys
import threading
import time

_COLOURS = {"step": "1;36", "note": "33", "good": "1;32", "bad": "1;31", "dim": "2"}


class Screen:
    """Lines on stdout; threads may write at once."""

    def __init__(self) -> None:
        """Colours are used when stdout is a terminal and NO_COLOR is not set."""
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def step(self, text: str) -> None:
        """The demo does something new."""
        self._line("step", f"==> {text}")

    def note(self, text: str) -> None:
        """Something happened on the way."""
        self._line("note", f"    {text}")

    def good(self, text: str) -> None:
        """The result, when it is good."""
        self._line("good", text)

    def bad(self, text: str) -> None:
        """The result, when it is not."""
        self._line("bad", text)

    def plain(self, text: str) -> None:
        """Text as it is."""
        self._line("", text)

    def status(self, text: str) -> None:
        """The line of this second."""
        self._line("", f"    {time.monotonic() - self._started:5.1f} s  {text}")

    def _line(self, kind: str, text: str) -> None:
        if self._coloured and kind:
            text = f"\033[{_COLOURS[kind]}m{text}\033[0m"
        with self._lock:
            print(text, flush=True)
