"""/admin/loggers: levels of the process's loggers, by log4j's names. On FastAPI's thread pool."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Response

from replicator.api.errors import BadRequestError
from replicator.herder.base import Herder
from replicator.rest.body import Body, Name, parse_object
from replicator.rest.errors import JsonResponse
from replicator.rest.levels import LoggerLevels, number_of
from replicator.rest.routing import add


class LoggerRoutes:
    """Handlers of loggers; scope=cluster reaches the loggers of all workers."""

    def __init__(self, herder: Herder, levels: LoggerLevels) -> None:
        self._herder: Any = herder
        self._levels = levels

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        add(app, "GET", "/admin/loggers", self.index)
        add(app, "GET", "/admin/loggers/{name}", self.show)
        add(app, "PUT", "/admin/loggers/{name}", self.set_level)

    def index(self) -> Response:
        """GET /admin/loggers."""
        return JsonResponse(self._levels.all())

    def show(self, name: Name) -> Response:
        """GET /admin/loggers/L."""
        return JsonResponse(self._levels.one(name))

    def set_level(self, name: Name, body: Body, scope: Annotated[str | None, Query()] = "worker") -> Response:
        """PUT /admin/loggers/L."""
        level = parse_object(body, scalars_as_text=True).get("level")
        if level is None:
            raise BadRequestError("Desired 'level' parameter was not specified in request.")
        number_of(level)
        if (scope or "").lower() != "cluster":
            return JsonResponse(self._levels.set(name, level))
        if hasattr(self._herder, "set_cluster_logger_level"):
            self._herder.set_cluster_logger_level(name, level)
        else:
            self._levels.set(name, level)
        return Response(status_code=204)
