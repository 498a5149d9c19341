"""What every herder accepts as a connector's name and initial state. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from replicator.api.errors import BadRequestError
from replicator.herder.entry import PAUSED, STARTED, STOPPED

_INITIAL = {"RUNNING": STARTED, "STARTED": STARTED, "PAUSED": PAUSED, "STOPPED": STOPPED}


def with_name(name: str, config: Mapping[str, str | None]) -> dict[str, str | None]:
    """The configuration with its name.

    Raises:
        BadRequestError: it names another one.
    """
    given = config.get("name")
    if given is not None and given.strip() != name:
        raise BadRequestError(
            f"Connector name configuration ({given}) doesn't match connector name in the URL ({name})"
        )
    return {**config, "name": name}


def initial_target(initial_state: str | None) -> str | None:
    """Target state for an initial state.

    Raises:
        BadRequestError: there is no such state.
    """
    if initial_state is None:
        return None
    target = _INITIAL.get(initial_state.upper())
    if target is None:
        raise BadRequestError(f"{initial_state} is not an initial state: RUNNING, PAUSED or STOPPED.")
    return target
