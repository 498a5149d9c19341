"""Bytes to lines, as Java's readers cut them: at LF, CR or CR LF. Pure; owned by one task."""

from __future__ import annotations


class LineBuffer:
    """Collects blocks and gives back whole lines; an unfinished last line waits for its end."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._start = 0
        self._searched = 0

    def add(self, block: bytes) -> None:
        """Append what was read."""
        if self._start:
            del self._data[: self._start]
            self._searched -= self._start
            self._start = 0
        self._data += block

    def take(self) -> tuple[bytes, int] | None:
        """The next line without its end, and its length in bytes with it; None when none is complete."""
        data, start = self._data, self._start
        end = self._end(max(start, self._searched))
        if end is None:
            return None
        line = bytes(data[start:end])
        after = end + 2 if data[end : end + 2] == b"\r\n" else end + 1
        self._start = self._searched = after
        return line, after - start

    def _end(self, position: int) -> int | None:
        """Where the next line ends; a CR at the very end may be half of a CR LF."""
        feed = self._data.find(b"\n", position)
        carriage = self._data.find(b"\r", position, feed if feed >= 0 else len(self._data))
        end = carriage if carriage >= 0 else feed
        if end < 0:
            self._searched = len(self._data)
            return None
        if end == carriage and end + 1 == len(self._data):
            self._searched = end
            return None
        return end
