"""Change envelopes whose source block is still text: most sinks never look at it, and it is half of what is parsed.

Made by a converter for a sink task that asked for them (`SinkTask.leaves_source_unread`); belongs to the task's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replicator.api.schema import Schema
from replicator.api.struct import Struct


class UnreadEnvelope(Struct):
    """An envelope like any other, except that an error in its source block is told when somebody asks for `fields`.

    Attributes:
        known: the fields without `source`.
    """

    __slots__ = ("_read", "_text", "_whole", "known")

    def __init__(
        self, schema: Schema, known: dict[str, Any], text: bytes, read: Callable[[bytes], dict[str, Any]]
    ) -> None:
        """`read` makes the source block from the text."""
        self.schema = schema
        self.known = known
        self._text = text
        self._read = read
        self._whole: dict[str, Any] | None = None

    @property
    def fields(self) -> dict[str, Any]:  # type: ignore[override]
        """All fields.

        Raises:
            DataError: the source block does not fit its schema.
        """
        whole = self._whole
        if whole is None:
            known, source = self.known, self._read(self._text)
            whole = {f.name: source if f.name == "source" else known[f.name] for f in self.schema.fields}
            self._whole = whole
        return whole
