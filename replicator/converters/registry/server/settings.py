"""The registry's settings: compatibility levels and modes, of all and of single subjects. Any thread."""

from __future__ import annotations

from typing import Any, Final

from replicator.converters.registry.server import refusals, state
from replicator.converters.registry.server.writer import Writer

LEVELS: Final = (
    "NONE",
    "BACKWARD",
    "FORWARD",
    "FULL",
    "BACKWARD_TRANSITIVE",
    "FORWARD_TRANSITIVE",
    "FULL_TRANSITIVE",
)
MODES: Final = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD")


class Settings:
    """Reads and changes settings."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._state = writer.state

    def set_config(self, subject: str | None, asked: dict[str, Any]) -> dict[str, Any]:
        """Change the settings; what was asked for is the answer."""
        level = asked.get("compatibility")
        if level is not None:
            level = str(level).upper()
            if level not in LEVELS:
                raise refusals.invalid_level()
            asked = asked | {"compatibility": level}
        with self._writer.alone() as journal:
            kept = dict(self._state.config(subject) or {})
            if level is not None:
                kept["compatibilityLevel"] = level
            kept |= {k: v for k, v in asked.items() if k != "compatibility"}
            journal.append([(state.setting_key("CONFIG", subject), state.dump(kept))])
        return asked

    def delete_setting(self, kind: str, subject: str | None) -> None:
        """Forget a setting."""
        with self._writer.alone() as journal:
            journal.append([(state.setting_key(kind, subject), None)])

    def set_mode(self, subject: str | None, asked: str, *, force: bool) -> str:
        """Change the mode."""
        mode = asked.upper()
        if mode not in MODES:
            raise refusals.invalid_mode()
        with self._writer.alone() as journal:
            if mode == "IMPORT" and not force:
                taken = self._state.subjects() if subject is None else self._state.versions(subject)
                if taken:
                    raise refusals.not_permitted("Cannot import since found existing subjects")
            journal.append([(state.setting_key("MODE", subject), state.dump({"mode": mode}))])
        return mode

    def mode_of(self, subject: str) -> str:
        """The mode that counts for a subject."""
        overall = self._state.mode(None)
        if overall == "READONLY_OVERRIDE":
            return overall
        return self._state.mode(subject) or overall or state.DEFAULT_MODE

    def normalises(self, subject: str) -> bool:
        """Whether schemas of a subject are kept normalised."""
        for scope in (subject, None):
            found = self._state.config(scope)
            if found is not None and found.get("normalize") is not None:
                return bool(found["normalize"])
        return False
