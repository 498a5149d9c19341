"""/replicator/dlq: dead letter queues for the page and the command line (own). Plain functions on the thread pool."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from itertools import islice
from typing import Any

from fastapi import FastAPI, Request, Response

from replicator.api.errors import BadRequestError
from replicator.broker.base import Broker
from replicator.rest.body import Body, Name, parse_object
from replicator.rest.errors import JsonResponse, RestError
from replicator.runtime.letter_box import LetterBox
from replicator.runtime.letters import LetterFilter

_MOST = 1000
_PAGING = ("limit", "start")


class LetterRoutes:
    """Handlers over the worker's broker."""

    def __init__(self, broker: Broker, private: Collection[str] = ()) -> None:
        self._box = LetterBox(broker)
        self._private = frozenset(private)

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        app.add_api_route("/replicator/dlq", self.queues, methods=["GET"])
        app.add_api_route("/replicator/dlq/{name}", self.letters, methods=["GET"])
        app.add_api_route("/replicator/dlq/{name}/replay", self.replay, methods=["POST"])
        app.add_api_route("/replicator/dlq/{name}/purge", self.purge, methods=["POST"])

    def queues(self) -> Response:
        """GET: `[{"queue", "letters", "handled"}]`."""
        return JsonResponse(self._box.queues())

    def letters(self, name: Name, request: Request, limit: int = 100, start: str = "") -> Response:
        """GET: letters, oldest first; the query holds the members of `LetterFilter`.

        `start` is for the next page: `partition:offset` of each partition behind its last letter seen, with commas.
        """
        query: dict[str, Any] = {k: v for k, v in request.query_params.items() if k not in _PAGING}
        query["handled"] = str(query.get("handled", "")).lower() == "true"
        self._check(name)
        found = self._box.letters(name, LetterFilter.of(query), _offsets(start))
        with closing(found):
            return JsonResponse([letter.to_json() for letter in islice(found, max(0, min(limit, _MOST)))])

    def replay(self, name: Name, body: Body) -> Response:
        """POST `{"filter": {}, "to": topic, "superseded": bool, "dry_run": bool}`."""
        request = _checked(body, {"filter", "to", "superseded", "dry_run"})
        self._check(name)
        outcome = self._box.replay(
            name,
            LetterFilter.of(request.get("filter") or {}),
            to=request.get("to"),
            superseded=bool(request.get("superseded")),
            dry_run=bool(request.get("dry_run")),
        )
        return JsonResponse(outcome.to_json())

    def purge(self, name: Name, body: Body) -> Response:
        """POST `{"filter": {}, "dry_run": bool}`."""
        request = _checked(body, {"filter", "dry_run"})
        self._check(name)
        chosen = LetterFilter.of(request.get("filter") or {})
        return JsonResponse({"purged": self._box.purge(name, chosen, dry_run=bool(request.get("dry_run")))})

    def _check(self, name: str) -> None:
        """Any topic may be taken for a queue, but not one with secrets."""
        if name in self._private:
            raise RestError(403, f"{name} is no dead letter queue: it holds secrets.")


def _checked(body: bytes, known: set[str]) -> dict[str, Any]:
    request = parse_object(body, scalars_as_text=False)
    if unknown := sorted(set(request) - known):
        raise BadRequestError(f"Unknown member {', '.join(unknown)}; known are {', '.join(sorted(known))}.")
    return request


def _offsets(text: str) -> dict[int, int]:
    pairs = [part.split(":") for part in text.split(",") if part]
    if not all(len(pair) == 2 and pair[0].isdecimal() and pair[1].isdecimal() for pair in pairs):
        raise BadRequestError("start is a list of partition:offset, such as 0:200,1:175.")
    return {int(partition): int(offset) for partition, offset in pairs}
