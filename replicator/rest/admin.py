"""GET /, /health, /metrics: the worker itself. Plain functions on the thread pool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from fastapi import FastAPI, Header, Response
from fastapi.responses import HTMLResponse

from replicator import __version__
from replicator.herder.base import Herder
from replicator.metrics.exposition import CONTENT_TYPE
from replicator.rest.errors import JsonResponse
from replicator.rest.metrics import metrics_text
from replicator.rest.routing import AnyRoute, PageRoute, ProbeRoute, add

_HEALTH_STATUS: Final = {"healthy": 200, "starting": 503}
_PAGE: Final = Path(__file__).parent / "ui" / "index.html"
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}


class AdminRoutes:
    """Handlers of the worker's own endpoints."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        add(app, "GET", "/", self.root, PageRoute)
        add(app, "GET", "/health", self.health, ProbeRoute)
        add(app, "GET", "/metrics", self.metrics, AnyRoute)

    def root(self, accept: Annotated[str, Header()] = "*/*") -> Response:
        """GET /: Connect's JSON, or the page for who prefers HTML."""
        if prefers_html(accept):
            return HTMLResponse(_PAGE.read_text(encoding="utf-8"), headers=_PAGE_HEADERS)
        info = {"version": __version__, "commit": "unknown", "kafka_cluster_id": self._herder.cluster_id()}
        return JsonResponse(info, headers={"Vary": "Accept"})

    def health(self) -> Response:
        """GET /health."""
        found = self._herder.health()
        return JsonResponse(found._asdict(), _HEALTH_STATUS.get(found.status, 500))

    def metrics(self) -> Response:
        """GET /metrics in Prometheus' text format."""
        return Response(metrics_text(self._herder), media_type=CONTENT_TYPE)


def prefers_html(accept: str) -> bool:
    """Whether an Accept header ranks text/html above application/json."""
    weights = {"text/html": 0.0, "application/json": 0.0}
    wildcard = 0.0
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = _weight(parameters)
        if kind in weights:
            weights[kind] = weight
        elif kind in ("*/*", "application/*"):
            wildcard = max(wildcard, weight)
    return weights["text/html"] > max(weights["application/json"], wildcard)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
