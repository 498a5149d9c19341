"""/replicator/topics: topics with their counts, and a look at records (own). Plain functions on the thread pool.

Reading takes no part in any group and changes nothing. A few requests at a time only: each holds a thread and a
consumer until it has what it wants, or its time is over.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Response

from replicator.api.errors import BadRequestError, NotFoundError
from replicator.api.record import TopicPartition
from replicator.broker.admin import TopicDescription
from replicator.broker.base import Broker
from replicator.rest.body import Name
from replicator.rest.browse_decoding import FORMATS
from replicator.rest.browse_reading import RecordReader, Request
from replicator.rest.errors import JsonResponse, RestError

_AT_ONCE: Final = 4
_MOST_COUNTED: Final = 2000
"""Partitions whose ends are asked for in a list; with more, counts are left out."""
_FRESH: Final = {"Cache-Control": "no-store"}

Limit = Annotated[int, Query(ge=1, le=500)]
Timeout = Annotated[int, Query(ge=100, le=10_000)]
Size = Annotated[int, Query(ge=16, le=1 << 20)]


class TopicRoutes:
    """Handlers over the worker's broker."""

    def __init__(
        self,
        broker: Broker,
        private: Collection[str] = (),
        registry: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Over a broker.

        Args:
            broker: where topics live.
            private: topics whose records are not shown.
            registry: a converter's options for the schema registry; none: the worker's own.
        """
        self._broker = broker
        self._private = frozenset(private)
        self._reader = RecordReader(broker, registry)
        self._seats = threading.BoundedSemaphore(_AT_ONCE)

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        app.add_api_route("/replicator/topics", self.topics, methods=["GET"])
        app.add_api_route("/replicator/topics/{name}", self.topic, methods=["GET"])
        app.add_api_route("/replicator/topics/{name}/records", self.records, methods=["GET"])

    def topics(self) -> Response:
        """GET: `[{"name", "partitions", "records", "cleanup", "internal", "private"}]`."""
        found = self._broker.admin().topics()
        places = [TopicPartition(name, n) for name, t in found.items() for n in range(t.partitions)]
        counts: dict[str, int] | None = self._counts(places) if len(places) <= _MOST_COUNTED else None
        shown = [
            self._summary(t) | {"records": None if counts is None else counts.get(name, 0)}
            for name, t in sorted(found.items())
        ]
        return JsonResponse(shown, headers=_FRESH)

    def topic(self, name: Name) -> Response:
        """GET: the summary, the options, and each partition's bounds."""
        found = self._found(name)
        begins, ends = self._bounds(found)
        partitions = [
            {"partition": p.partition, "begin": begins[p], "end": ends[p], "records": ends[p] - begins[p]}
            for p in sorted(ends)
        ]
        total = sum(ends[p] - begins[p] for p in ends)
        more = {"records": total, "config": dict(found.config), "bounds": partitions}
        return JsonResponse(self._summary(found) | more, headers=_FRESH)

    def records(
        self,
        name: Name,
        partition: Annotated[int | None, Query(ge=0)] = None,
        start: Annotated[str | None, Query(alias="from")] = None,
        before: str | None = None,
        limit: Limit = 50,
        contains: str = "",
        format: str = "auto",
        max_bytes: Size = 16_384,
        timeout_ms: Timeout = 3000,
    ) -> Response:
        """GET: records from offsets on, or the last ones before offsets; the newest without either.

        `from` and `before` are an offset, `partition:offset,...`, or `earliest` and `latest`.
        """
        found = self._found(name)
        if name in self._private:
            raise RestError(403, f"Records of {name} are not shown: they hold secrets.")
        if format not in FORMATS:
            raise BadRequestError(f"Unknown format {format}; known are {', '.join(FORMATS)}.")
        if start is not None and before is not None:
            raise BadRequestError("Give from or before, not both.")
        begins, ends = self._bounds(found)
        chosen = [p for p in sorted(ends) if partition in (None, p.partition)]
        if not chosen:
            raise NotFoundError(f"Topic {name} has no partition {partition}.")
        request = Request(
            {p: begins[p] for p in chosen},
            {p: ends[p] for p in chosen},
            starts=None if start is None else _places(start, chosen, begins, ends),
            before=None if before is None else _places(before, chosen, begins, ends),
            limit=limit, contains=contains, form=format, size=max_bytes, seconds=timeout_ms / 1000,
        )  # fmt: skip
        if not self._seats.acquire(blocking=False):
            raise RestError(429, "Too many topics are being read at once; try again in a moment.")
        try:
            return JsonResponse(self._reader.read(request), headers=_FRESH)
        finally:
            self._seats.release()

    def _found(self, name: str) -> TopicDescription:
        found = self._broker.admin().topics().get(name)
        if found is None:
            raise NotFoundError(f"There is no topic {name}.")
        return found

    def _summary(self, topic: TopicDescription) -> dict[str, Any]:
        private = topic.name in self._private
        return {
            "name": topic.name,
            "partitions": topic.partitions,
            "cleanup": topic.config.get("cleanup.policy", "delete"),
            "internal": private or topic.name.startswith(("__", "_schemas", "connect-")),
            "private": private,
        }

    def _bounds(self, topic: TopicDescription) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
        admin = self._broker.admin()
        return admin.begin_offsets(places), admin.end_offsets(places)

    def _counts(self, places: Sequence[TopicPartition]) -> dict[str, int]:
        admin = self._broker.admin()
        begins, ends = admin.begin_offsets(places), admin.end_offsets(places)
        counts: dict[str, int] = {}
        for place in places:
            counts[place.topic] = counts.get(place.topic, 0) + ends[place] - begins[place]
        return counts


def _places(
    text: str,
    chosen: Sequence[TopicPartition],
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> dict[TopicPartition, int]:
    """Offsets by partition, within what there is; partitions not named are left out.

    Raises:
        BadRequestError: that is no offset.
    """
    if text in ("earliest", "latest"):
        return {p: (begins if text == "earliest" else ends)[p] for p in chosen}
    found: dict[TopicPartition, int] = {}
    for part in text.split(","):
        number, _, offset = part.strip().rpartition(":")
        if not (offset.isascii() and offset.isdigit()) or (number and not number.isdecimal()):
            raise BadRequestError(
                f"'{text}' is no offset; write 17, 0:17,1:20 (partition:offset), earliest or latest."
            )
        for place in chosen:
            if not number or place.partition == int(number):
                found[place] = max(begins[place], min(int(offset), ends[place]))
    return found
