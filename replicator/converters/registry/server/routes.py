"""The registry's interface: a method and a path to an answer. Used by REST and by converters alike.

Any thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

from replicator.api.errors import ConnectError
from replicator.converters.registry.model import Answer
from replicator.converters.registry.server import refusals, state
from replicator.converters.registry.server.requests import Handler, Query
from replicator.converters.registry.server.schema_routes import SchemaRoutes
from replicator.converters.registry.server.schemas import Schemas
from replicator.converters.registry.server.setting_routes import SettingRoutes
from replicator.converters.registry.server.settings import Settings
from replicator.converters.registry.server.state import Journal, State
from replicator.converters.registry.server.subject_routes import SubjectRoutes
from replicator.converters.registry.server.subjects import Subjects
from replicator.converters.registry.server.writer import Writer

_RACES: Final = 10
"""How often a request is decided again because another writer was first."""


class Registry:
    """See the module; it is also the transport of converters in the same process."""

    def __init__(self, known: State, journal: Journal) -> None:
        self._journal = journal
        writer, schemas = Writer(known, journal), Schemas(known)
        settings = Settings(writer)
        table = [
            *SubjectRoutes(known, Subjects(writer, schemas, settings), schemas).table(),
            *SchemaRoutes(known, schemas).table(),
            *SettingRoutes(known, settings).table(),
            ("GET", "/contexts", lambda *_: ["."]),
            ("GET", "/v1/metadata/id", lambda *_: {"scope": {"path": [], "clusters": {}}}),
        ]
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(pattern), handler) for method, pattern, handler in table
        ]

    def call(self, method: str, path: str, query: Query, body: Any = None) -> Answer:
        """Answer one request."""
        try:
            handler, parts = self._route(method, path)
            return Answer(200, self._decide(handler, [unquote(p) for p in parts], query, body))
        except refusals.RefusedError as refused:
            return Answer(refused.status, refused.to_json())
        except ConnectError as error:
            return Answer(500, {"error_code": 50001, "message": f"Error in the backend datastore: {error}"})

    def _decide(
        self, handler: Handler, parts: list[str], query: Query, body: Any, races: int = _RACES
    ) -> Any:
        try:
            self._journal.refresh()
            return handler(parts, query, body)
        except state.RacedError:
            if races == 0:
                raise
            return self._decide(handler, parts, query, body, races - 1)

    def close(self) -> None:
        """Release the journal."""
        self._journal.close()

    def _route(self, method: str, path: str) -> tuple[Handler, list[str]]:
        known = False
        for own_method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is not None:
                known = True
                if own_method == method:
                    return handler, list(match.groups())
        if known:
            raise refusals.RefusedError(405, "HTTP 405 Method Not Allowed")
        raise refusals.RefusedError(404, "HTTP 404 Not Found")


class _Memory:
    """A journal that keeps nothing."""

    def __init__(self, known: State) -> None:
        self._state = known

    def refresh(self) -> None:
        """Nobody else writes."""

    def append(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        for key, value in records:
            self._state.apply(key, value)

    def close(self) -> None:
        """Nothing is open."""


def in_memory() -> Registry:
    """A registry that lives as long as the process."""
    known = State()
    return Registry(known, _Memory(known))
