"""/admin/loggers: levels of the process's loggers, by log4j's names. On FastAPI's thread pool."""

from __future__ import annotations

import logging
import threading
import time
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Response

from replicator.api.errors import BadRequestError, NotFoundError
from replicator.herder.base import Herder
from replicator.rest.body import Body, Name, parse_object
from replicator.rest.errors import JsonResponse
from replicator.rest.java_loggers import counterparts
from replicator.rest.routing import add

_LEVELS: Final = {
    "OFF": logging.CRITICAL + 10,
    "FATAL": logging.CRITICAL,
    "ERROR": logging.ERROR,
    "WARN": logging.WARNING,
    "INFO": logging.INFO,
    "DEBUG": logging.DEBUG,
    "TRACE": logging.DEBUG - 5,
    "ALL": 1,
}


class LoggerRoutes:
    """Handlers of loggers; scope=cluster reaches the loggers of all workers."""

    def __init__(self, herder: Herder, levels: LoggerLevels | None = None) -> None:
        self._herder: Any = herder
        self._levels = levels or LoggerLevels()

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


class LoggerLevels:
    """Levels of the process's loggers; may be used from any thread."""

    def __init__(self) -> None:
        self._changed: dict[str, int] = {}
        self._lock = threading.Lock()

    def all(self) -> dict[str, Any]:
        """Every logger, and the root."""
        return {name: self.one(name) for name in ("root", *self._existing())}

    def one(self, name: str) -> dict[str, Any]:
        """Level and time of the last change.

        Raises:
            NotFoundError: there is no such logger.
        """
        if name != "root" and name not in self._existing():
            raise NotFoundError(f"Logger {name} not found.")
        level = _logger(name).getEffectiveLevel()
        shown = next((text for text, number in _LEVELS.items() if number <= level), "ALL")
        return {"level": shown, "last_modified": self._changed.get(name)}

    def set(self, name: str, level: str) -> list[str]:
        """Set the level of a logger and all below it; answers with those that had another one.

        Raises:
            NotFoundError: there is no such level.
        """
        number = number_of(level)
        with self._lock:
            existing = self._existing()
            below = existing if name == "root" else [n for n in existing if n.startswith(f"{name}.")]
            loggers = {each: _logger(each) for each in sorted({name, *below})}
            changed = [each for each, logger in loggers.items() if logger.getEffectiveLevel() != number]
            for logger in loggers.values():
                logger.setLevel(number)
            for ours in counterparts(name):
                for each in (ours, *(n for n in existing if n.startswith(f"{ours}."))):
                    logging.getLogger(each).setLevel(number)
            self._changed |= dict.fromkeys(changed, int(time.time() * 1000))
        return changed

    def _existing(self) -> list[str]:
        known = logging.root.manager.loggerDict
        return sorted(name for name, found in list(known.items()) if isinstance(found, logging.Logger))


def number_of(level: str) -> int:
    """The level's number.

    Raises:
        NotFoundError: there is no such level (404, as Connect answers).
    """
    number = _LEVELS.get(level.upper())
    if number is None:
        raise NotFoundError(f"invalid log level '{level}'.")
    return number


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == "root" else name)
