"""ColumnCodec: how one column of one table version becomes Connect data.

Made by a database's type mapping, compiled into row functions by `encoder`. Immutable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from replicator.api import Schema


@dataclass(frozen=True, slots=True)
class ColumnCodec:
    """Schema of a column, and the way from its text to a value.

    Attributes:
        schema: the value's schema, with semantic name, optionality and propagated parameters.
        decode: text to value; None keeps the text. Raises ValueError, ArithmeticError or DataError
            for text that the schema cannot hold.
        placeholder: value of an unchanged TOAST column the server did not send.
        filler: value of a required column that a partial old row lacks.
        inline: Python expression equivalent to `decode` but cheaper for the usual text: `{0}` stands for
            the text, `{1}` for `decode`. None when there is no short one.
        may_be_unchanged: whether the server may leave the value out of an update.
        null: what stands for NULL: the stars of a mask do.
    """

    schema: Schema
    decode: Callable[[str], Any] | None = None
    placeholder: Any = None
    filler: Any = None
    inline: str | None = None
    may_be_unchanged: bool = True
    null: Any = None

    def value(self, text: str) -> Any:
        """The value of a text."""
        return text if self.decode is None else self.decode(text)

    def then(self, change: Callable[[Any], Any], schema: Schema) -> ColumnCodec:
        """This codec with a function applied to every value, for masks and truncation."""
        decode = self.decode

        def changed(text: str) -> Any:
            return change(text if decode is None else decode(text))

        return replace(self, schema=schema, decode=changed, inline=None)
