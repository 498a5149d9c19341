"""One object on its way to the store: bytes are collected, and leave in parts when there are enough. Task thread.

Writing never fails for the network's sake: only `drain` and `finish` talk to the store, and both can be called
again after a RetriableError, because nothing is forgotten before it was taken.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.s3.store import Store


class Upload(io.RawIOBase):
    """A write-only file that becomes an object."""

    def __init__(self, store: Store, name: str, part_size: int) -> None:
        super().__init__()
        self.name = name
        self._store = store
        self._part_size = part_size
        self._buffer = bytearray()
        self._written = 0
        self._upload: str | None = None
        self._tags: list[str] = []
        self._done = False

    def write(self, data: Any, /) -> int:
        """Collect bytes."""
        view = memoryview(data)
        self._buffer += view
        self._written += view.nbytes
        return view.nbytes

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def drain(self) -> None:
        """Upload the parts that are full."""
        while len(self._buffer) >= self._part_size:
            self._send(self._part_size)

    def finish(self) -> None:
        """Make the object visible; a small one in a single request."""
        if self._done:
            return
        self.drain()
        if self._upload is None:
            self._store.put(self.name, bytes(self._buffer))
        else:
            if self._buffer:
                self._send(len(self._buffer))
            self._store.complete(self.name, self._upload, self._tags)
        self._done = True
        self._buffer.clear()

    def abort(self) -> None:
        """Leave nothing behind."""
        if self._upload is not None and not self._done:
            self._store.abort(self.name, self._upload)
        self._done = True
        self._buffer.clear()

    def _send(self, size: int) -> None:
        if self._upload is None:
            self._upload = self._store.begin(self.name)
        with memoryview(self._buffer) as view:
            data = bytes(view[:size])
        self._tags.append(self._store.part(self.name, self._upload, len(self._tags) + 1, data))
        del self._buffer[:size]
