"""Levels of the process's loggers, by log4j's names. Any thread."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Final

from replicator.api.errors import NotFoundError
from replicator.rest.java_loggers import counterparts

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

    def follow(self, name: str, level: str) -> None:
        """Set what was set for the whole group; a level that only others know is left alone."""
        if level.strip().upper() in _LEVELS:
            self.set(name, level)

    def _existing(self) -> list[str]:
        known = logging.root.manager.loggerDict
        return sorted(name for name, found in list(known.items()) if isinstance(found, logging.Logger))


def number_of(level: str) -> int:
    """The level's number.

    Raises:
        NotFoundError: there is no such level (404, as Connect answers).
    """
    number = _LEVELS.get(level.strip().upper())
    if number is None:
        raise NotFoundError(f"invalid log level '{level}'.")
    return number


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == "root" else name)
