"""The registry's answers about compatibility levels and modes. Any thread."""

from __future__ import annotations

from typing import Any

from replicator.converters.registry.server import refusals, state
from replicator.converters.registry.server.requests import (
    NAME,
    Query,
    Route,
    yes,
)
from replicator.converters.registry.server.settings import Settings
from replicator.converters.registry.server.state import State


class SettingRoutes:
    """Requests below /config and /mode, of all subjects and of one."""

    def __init__(self, known: State, settings: Settings) -> None:
        self._state = known
        self._settings = settings

    def table(self) -> list[Route]:
        """What is answered here."""
        return [
            *(
                route
                for path in ("/config", f"/config/{NAME}")
                for route in (
                    ("GET", path, self._config),
                    ("PUT", path, self._set_config),
                    ("DELETE", path, self._delete_config),
                )
            ),
            *(
                route
                for path in ("/mode", f"/mode/{NAME}")
                for route in (("GET", path, self._mode), ("PUT", path, self._set_mode))
            ),
            ("DELETE", f"/mode/{NAME}", self._delete_mode),
        ]

    def _config(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0] if parts else None
        found = self._state.config(subject)
        if subject is not None and not (found or {}).get("compatibilityLevel"):
            if not yes(query, "defaultToGlobal"):
                raise refusals.RefusedError(
                    40408, f"Subject '{subject}' does not have subject-level compatibility configured"
                )
            found = self._state.config(None)
        return {"compatibilityLevel": state.DEFAULT_LEVEL} | dict(found or {})

    def _set_config(self, parts: list[str], query: Query, body: Any) -> Any:
        if not isinstance(body, dict):
            raise refusals.invalid_level()
        return self._settings.set_config(parts[0] if parts else None, body)

    def _delete_config(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0] if parts else None
        before = self._state.config(subject)
        if subject is not None and before is None:
            raise refusals.no_subject(subject)
        self._settings.delete_setting("CONFIG", subject)
        return {"compatibilityLevel": (before or {}).get("compatibilityLevel", state.DEFAULT_LEVEL)}

    def _mode(self, parts: list[str], query: Query, body: Any) -> Any:
        subject = parts[0] if parts else None
        found = self._state.mode(subject)
        if found is None and subject is not None:
            if not yes(query, "defaultToGlobal"):
                raise refusals.RefusedError(
                    40409, f"Subject '{subject}' does not have subject-level mode configured"
                )
            found = self._state.mode(None)
        return {"mode": found or state.DEFAULT_MODE}

    def _set_mode(self, parts: list[str], query: Query, body: Any) -> Any:
        asked = body.get("mode") if isinstance(body, dict) else None
        mode = self._settings.set_mode(parts[0] if parts else None, str(asked), force=yes(query, "force"))
        return {"mode": mode}

    def _delete_mode(self, parts: list[str], query: Query, body: Any) -> Any:
        before = self._state.mode(parts[0])
        if before is None:
            raise refusals.no_subject(parts[0])
        self._settings.delete_setting("MODE", parts[0])
        return {"mode": before}
