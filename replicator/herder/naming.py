"""What every herder accepts as a connector's name and initial state. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replicator.api.errors import BadRequestError
from replicator.herder.entry import PAUSED, STARTED, STOPPED

_TASKS: Final = {
    "io.confluent.connect.jdbc.JdbcSinkConnector": "io.confluent.connect.jdbc.sink.JdbcSinkTask",
    "io.confluent.connect.jdbc.JdbcSourceConnector": "io.confluent.connect.jdbc.source.JdbcSourceTask",
}
_INITIAL = {"RUNNING": STARTED, "STARTED": STARTED, "PAUSED": PAUSED, "STOPPED": STOPPED}


def with_name(name: str, config: Mapping[str, str | None]) -> dict[str, str | None]:
    """The configuration with its name.

    Raises:
        BadRequestError: it names another one.
    """
    given = config.get("name")
    if given is not None and given != name:
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


def task_class_name(connector: type[Any], task: type[Any]) -> str:
    """Name of a task's class in its options: Java's where the connector has a Java name, so that both understand it."""
    java = next((a for a in connector.aliases if "." in a), None)
    if java is None:
        return f"{task.__module__}.{task.__qualname__}"
    known = _TASKS.get(java)
    if known is not None:
        return known
    return f"{java}Task" if java.startswith("io.debezium.") else f"{java.removesuffix('Connector')}Task"
