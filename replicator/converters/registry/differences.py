"""Differences between two schemas, worded as registries word them. Plain values, any thread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One reason why a reader could not read what a writer wrote.

    Attributes:
        kind: name of the reason, for example TYPE_MISMATCH.
        path: where in the schema.
        text: sentence with `{reader}` and `{writer}` for "new" and "old".
        info: what else helps, for example the name of the field; None where registries do not say such things.
    """

    kind: str
    path: str
    text: str
    info: str | None = ""

    def describe(self, *, reader: str, writer: str) -> str:
        """As registries answer; `reader` and `writer` are "new" and "old", either way round."""
        sentence = self.text.replace("{reader}", reader).replace("{writer}", writer)
        if self.info is None:
            return f'{{errorType:"{self.kind}", description:"{sentence}"}}'
        return f"{{errorType:'{self.kind}', description:'{sentence}', additionalInfo:'{self.info}'}}"

    def __str__(self) -> str:
        return self.describe(reader="reader's", writer="writer's")
