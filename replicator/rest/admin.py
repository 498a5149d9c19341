"""GET /, /health, /admin/loggers, /metrics: the worker itself. Plain functions on the thread pool."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import FastAPI, Header, Response
from fastapi.responses import HTMLResponse

from replicator import __version__
from replicator.api.errors import BadRequestError, ConnectError, NotFoundError
from replicator.herder.base import Herder
from replicator.metrics.prometheus import CONTENT_TYPE, TaskSample, exposition
from replicator.rest.body import Body, Name, parse_object
from replicator.rest.errors import JsonResponse

_LEVELS: Final = {
    "OFF": logging.CRITICAL + 10,
    "FATAL": logging.CRITICAL,
    "ERROR": logging.ERROR,
    "WARN": logging.WARNING,
    "INFO": logging.INFO,
    "DEBUG": logging.DEBUG,
    "TRACE": logging.DEBUG - 5,
}
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
        self._loggers = LoggerLevels()

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        app.add_api_route("/", self.root, methods=["GET"])
        app.add_api_route("/health", self.health, methods=["GET"])
        app.add_api_route("/metrics", self.metrics, methods=["GET"])
        app.add_api_route("/admin/loggers", self.loggers, methods=["GET"])
        app.add_api_route("/admin/loggers/{name}", self.logger, methods=["GET"])
        app.add_api_route("/admin/loggers/{name}", self.set_level, methods=["PUT"])

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
        states: dict[str, str] = {}
        samples: list[TaskSample] = []
        for name in self._herder.connectors():
            try:
                status = self._herder.connector_status(name)
                progress = self._herder.progress(name)
            except ConnectError:
                continue  # deleted meanwhile
            states[name] = status.connector.state
            samples += [
                TaskSample(name, status.type, p.id.task, p.state, p.stats, p.facts, p.gauges)
                for p in progress
            ]
        return Response(exposition(states, samples), media_type=CONTENT_TYPE)

    def loggers(self) -> Response:
        """GET /admin/loggers."""
        return JsonResponse(self._loggers.all())

    def logger(self, name: Name) -> Response:
        """GET /admin/loggers/L."""
        return JsonResponse(self._loggers.one(name))

    def set_level(self, name: Name, body: Body, scope: str = "worker") -> Response:
        """PUT /admin/loggers/L."""
        level = parse_object(body, scalars_as_text=True).get("level")
        if level is None:
            raise BadRequestError("Desired 'level' parameter was not specified in request.")
        changed = self._loggers.set(name, str(level))
        return Response(status_code=204) if scope.lower() == "cluster" else JsonResponse(changed)


class LoggerLevels:
    """Levels of the process's loggers, by log4j's names; may be used from any thread."""

    def __init__(self) -> None:
        self._changed: dict[str, int] = {}
        self._lock = threading.Lock()

    def all(self) -> dict[str, Any]:
        """Every logger with a level of its own, and the root."""
        return {name: self.one(name) for name in ("root", *self._existing())}

    def one(self, name: str) -> dict[str, Any]:
        """Level and time of the last change.

        Raises:
            NotFoundError: there is no such logger.
        """
        if name != "root" and name not in self._existing():
            raise NotFoundError(f"Logger {name} not found.")
        level = _logger(name).getEffectiveLevel()
        shown = next((text for text, number in _LEVELS.items() if number <= level), "TRACE")
        return {"level": shown, "last_modified": self._changed.get(name)}

    def set(self, name: str, level: str) -> list[str]:
        """Set the level of a logger and all below it; answers with their names.

        Raises:
            NotFoundError: there is no such level.
        """
        number = _LEVELS.get(level.upper())
        if number is None:
            raise NotFoundError(f"invalid log level '{level}'.")
        with self._lock:
            existing = self._existing()
            below = existing if name == "root" else [n for n in existing if n.startswith(f"{name}.")]
            affected = sorted({name, *below})
            for each in affected:
                if _logger(each).getEffectiveLevel() != number:
                    self._changed[each] = int(time.time() * 1000)
                _logger(each).setLevel(number)
        return affected

    def _existing(self) -> list[str]:
        known = logging.root.manager.loggerDict
        return sorted(name for name, found in list(known.items()) if isinstance(found, logging.Logger))


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == "root" else name)


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
