"""Signals: what Debezium's connectors are told while they run, from REST, the signal table or a file.

`handle` may be called by any thread and only queues. The table's rows come by the stream; a file of one JSON object a
line is read by a small thread and emptied when it was read.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from connectors.cdc.selection import Patterns
from connectors.postgres.incremental_queue import Queue, Wanted
from connectors.postgres.requests import EXECUTE_SNAPSHOT, matching_tables, requested_tables
from replicator.api import BadRequestError, ConnectError

log = logging.getLogger(__name__)

_INCREMENTAL: Final = "incremental"


class Signals:
    """Checks signals and passes them on."""

    def __init__(
        self,
        options: Mapping[str, Any],
        queue: Queue,
        captured: Callable[[], Sequence[str]],
        copy_again: Callable[[Sequence[str]], None],
        position: Callable[[], str],
    ) -> None:
        channels = [c.lower() for c in options["signal.enabled.channels"]]
        self._queue = queue
        self._captured = captured
        self._copy_again = copy_again
        self._position = position
        self.table: str | None = options["signal.data.collection"] if "source" in channels else None
        self._file = Path(options["signal.file"]) if "file" in channels else None
        self._every: float = options["signal.poll.interval.ms"] / 1000
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin to look at the file, if that channel is on."""
        if self._file is not None:
            threading.Thread(target=self._watch_file, name="postgres-signals", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def handle(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take one signal.

        Raises:
            BadRequestError: it is not known, or its data are wrong.
        """
        if kind == EXECUTE_SNAPSHOT:
            self._execute(data)
        elif kind == "stop-snapshot":
            names = data.get("data-collections")
            self._queue.drop(matching_tables(names, self._captured()) if names else None)
        elif kind in ("pause-snapshot", "resume-snapshot"):
            self._queue.pause(paused=kind == "pause-snapshot")
        elif kind == "log":
            log.info("%s", str(data.get("message", "")).replace("{}", self._position()))
        else:
            raise BadRequestError(f"This connector does not support signal '{kind}'.")

    def _execute(self, data: Mapping[str, Any]) -> None:
        captured = self._captured()
        if str(data.get("type", _INCREMENTAL)).lower() != _INCREMENTAL:
            self._copy_again(requested_tables(data, captured))
            return
        conditions = _conditions(data)
        surrogate = data.get("surrogate-key")
        tables = matching_tables(data.get("data-collections"), captured)
        self._queue.add(
            Wanted(name, next((c for p, c in conditions if p.match(name)), None), surrogate)
            for name in tables
        )

    def row(self, fields: Mapping[str, Any] | None) -> None:
        """A row of the signal table."""
        if fields and fields.get("type"):
            self._leniently(str(fields["type"]), fields.get("data") or "{}")

    def _leniently(self, kind: str, data: Any) -> None:
        """A wrong signal is a warning: nobody waits for an answer."""
        try:
            parsed = json.loads(data) if isinstance(data, str) else data
            if not isinstance(parsed, dict):
                raise BadRequestError("its data are no JSON object")
            self.handle(kind, parsed)
        except (ConnectError, ValueError) as error:
            log.warning("Signal '%s' is left out: %s", kind, error)

    def _watch_file(self) -> None:
        assert self._file is not None
        while not self._stop.wait(self._every):
            try:
                if not self._file.stat().st_size:
                    continue
                # Taken away first: what is written from now on is for the next look.
                taken = self._file.rename(f"{self._file}.taken")
                self._file.touch()
                lines = taken.read_text().splitlines()
                taken.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                log.warning("The signal file cannot be read: %s", error)
                continue
            for line in filter(str.strip, lines):
                try:
                    signal = json.loads(line)
                    self._leniently(str(signal["type"]), signal.get("data") or {})
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    log.warning("A line of the signal file is left out: %s (%s)", line, error)


def _conditions(data: Mapping[str, Any]) -> list[tuple[Patterns, str]]:
    found = data.get("additional-conditions") or []
    try:
        return [(Patterns("data-collection", [c["data-collection"]]), str(c["filter"])) for c in found]
    except (KeyError, TypeError):
        raise BadRequestError(
            'additional-conditions must be a list of {"data-collection": table, "filter": SQL condition}.'
        ) from None
