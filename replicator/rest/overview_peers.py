"""The overview of a whole group: what other workers know of their tasks, put into this worker's document.

States of all connectors are known everywhere, live figures only where a task runs. The workers that run some are asked
for their overviews at the same time, with the caller's own credentials; one that does not answer is left alone for a
while. Any thread.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlencode

_TIMEOUT: Final = 2.0
_LEFT_ALONE: Final = 15.0
_SAME_MOMENT: Final = 5000
_AT_ONCE: Final = 8
_MOST_ERRORS: Final = 20
_LIVE: Final = ("stats", "facts", "gauges")


class Peers:
    """Other workers, by the ids that statuses name: host and port of their REST API."""

    def __init__(self, own: str, tls: ssl.SSLContext | None) -> None:
        """For a worker.

        Args:
            own: id of this worker.
            tls: how to speak to https addresses.
        """
        self._own = own
        self._tls = tls
        self._silent: dict[str, float] = {}
        self._lock = threading.Lock()

    def complete(
        self, document: dict[str, Any], scheme: str, authorization: str, query: Mapping[str, str]
    ) -> dict[str, Any]:
        """The document with what the others add to the same query; `workers` tells who answered."""
        target = f"/replicator/overview?{urlencode(query)}"
        asked = sorted(_workers(document["connectors"]) - {self._own, ""})
        answers: dict[str, dict[str, Any] | None] = {}
        if asked:
            with ThreadPoolExecutor(min(_AT_ONCE, len(asked))) as pool:
                found = pool.map(lambda worker: self._ask(worker, scheme, target, authorization), asked)
                answers = dict(zip(asked, found, strict=True))
        others = [answer for answer in answers.values() if answer is not None]
        for connector in document["connectors"]:
            for other in others:
                same = next((c for c in other["connectors"] if c["name"] == connector["name"]), None)
                if same is not None:
                    _add(connector, same)
        document["errors"] = merged_errors([document["errors"], *(other["errors"] for other in others)])
        answered = {worker: answer is not None for worker, answer in answers.items()} | {self._own: True}
        document["workers"] = [{"id": worker, "answers": answered[worker]} for worker in sorted(answered)]
        return document

    def _ask(self, worker: str, scheme: str, target: str, authorization: str) -> dict[str, Any] | None:
        with self._lock:
            if self._silent.get(worker, 0.0) > time.monotonic():
                return None
        if scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                worker, timeout=_TIMEOUT, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(worker, timeout=_TIMEOUT)
        headers = {"Accept": "application/json"} | ({"Authorization": authorization} if authorization else {})
        try:
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            found = json.loads(answer.read()) if answer.status == http.HTTPStatus.OK else None
        except (OSError, ValueError, http.client.HTTPException):
            found = None
        finally:
            connection.close()
        if not isinstance(found, dict):
            with self._lock:
                self._silent[worker] = time.monotonic() + _LEFT_ALONE
            return None
        return found


def _workers(connectors: Iterable[Mapping[str, Any]]) -> set[str]:
    """Workers that run a task now."""
    return {t["worker_id"] for c in connectors for t in c["tasks"] if t["state"] in ("RUNNING", "PAUSED")}


def _add(connector: dict[str, Any], other: Mapping[str, Any]) -> None:
    theirs = {task["id"]: task for task in other["tasks"]}
    for task in connector["tasks"]:
        same = theirs.get(task["id"])
        if not task["stats"] and same is not None and same["stats"]:
            task.update({name: same[name] for name in _LIVE})
    connector["history"] = merged_history(connector["history"], other["history"])


def merged_history(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Second by second: rates add up, of lags and retained log the largest counts."""
    rows: dict[int, list[Any]] = {}
    for history in (one, other):
        columns = (history[name] for name in ("t", "rows_per_second", "lag_ms", "retained_bytes"))
        for t, rate, lag, kept in zip(*columns, strict=True):
            row = rows.setdefault(round(t / 1000), [t, 0.0, None, None])
            row[1] = round(row[1] + rate, 1)
            row[2], row[3] = _larger(row[2], lag), _larger(row[3], kept)
    ordered = [rows[second] for second in sorted(rows)]
    names = ("t", "rows_per_second", "lag_ms", "retained_bytes")
    return {name: [row[i] for row in ordered] for i, name in enumerate(names)}


def _larger(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else max(one, other)


def merged_errors(lists: Iterable[Iterable[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """The newest first; several workers notice the same failure, once each and not quite together."""
    found: list[Mapping[str, Any]] = []
    for error in sorted((e for errors in lists for e in errors), key=lambda e: -e["time"]):
        if not any(
            all(error[name] == known[name] for name in ("connector", "part", "trace"))
            and known["time"] - error["time"] < _SAME_MOMENT
            for known in found
        ):
            found.append(error)
    return found[:_MOST_ERRORS]
