"""What the sink tells status and metrics: rows per table, how far the target is complete, what was lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from connectors.jdbc.lanes import lsn_text

_EVERY_SECONDS = 1.0


class Facts:
    """Collects facts and publishes them at most once a second."""

    def __init__(self, publish: Callable[..., None]) -> None:
        self._publish = publish
        self._next = 0.0
        self._dirty = False
        self.complete_through: int | None = None
        self.stopped: dict[str, str] = {}
        self.warnings: dict[str, str] = {}

    def touch(self) -> None:
        """Something changed."""
        self._dirty = True

    def hurry(self) -> None:
        """Something changed that nobody should wait for."""
        self._dirty, self._next = True, 0.0

    def completed(self, commit: int | None) -> None:
        """The target has every source transaction up to this one."""
        if commit is not None:
            self.complete_through = commit
        self._dirty = True

    def warn(self, key: str, sentence: str) -> None:
        """Keep a warning; the newest of a kind counts."""
        self.warnings[key] = sentence
        self._dirty = True

    def publish(
        self,
        applied: Mapping[str, int],
        lost: Mapping[str, int],
        skipped: Mapping[str, int],
        *,
        now: bool = False,
    ) -> None:
        """Publish when something changed and it is time."""
        clock = time.monotonic()
        if not self._dirty or (clock < self._next and not now):
            return
        self._next, self._dirty = clock + _EVERY_SECONDS, False
        facts: dict[str, Any] = {
            "tables": {t: {"state": self._state(t), "rows": n} for t, n in applied.items()},
            "stopped_tables": dict(self.stopped),
            "values_lost": dict(lost),
            "skipped": dict(skipped),
            "warnings": list(self.warnings.values()),
        }
        for table in self.stopped:
            facts["tables"].setdefault(table, {"state": "stopped", "rows": 0})
        if self.complete_through is not None:
            facts["complete_through"] = lsn_text(self.complete_through)
        self._publish(**facts)

    def _state(self, table: str) -> str:
        return "stopped" if table in self.stopped else "applying"
