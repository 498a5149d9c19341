"""GET /, /health, /metrics: the worker itself. Plain functions on the thread pool."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Response

from replicator import __version__
from replicator.herder.base import Herder
from replicator.metrics.exposition import CONTENT_TYPE
from replicator.rest.errors import JsonResponse
from replicator.rest.metrics import metrics_text
from replicator.rest.routing import AnyRoute, PageRoute, ProbeRoute, add

_HEALTH_STATUS: Final = {"healthy": 200, "starting": 503}


class AdminRoutes:
    """Handlers of the worker's own endpoints."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        add(app, "GET", "/", self.root, PageRoute)
        add(app, "GET", "/health", self.health, ProbeRoute)
        add(app, "GET", "/metrics", self.metrics, AnyRoute)

    def root(self) -> Response:
        """GET /: Connect's JSON; who prefers HTML was given the page before."""
        info = {"version": __version__, "commit": "unknown", "kafka_cluster_id": self._herder.cluster_id()}
        return JsonResponse(info, headers={"Vary": "Accept"})

    def health(self) -> Response:
        """GET /health."""
        found = self._herder.health()
        return JsonResponse(found._asdict(), _HEALTH_STATUS.get(found.status, 500))

    def metrics(self) -> Response:
        """GET /metrics in Prometheus' text format."""
        return Response(metrics_text(self._herder), media_type=CONTENT_TYPE)
