"""What is compared: workloads (SQL on a database of their own) and the configurations that read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RESTART = "-- every connector stops and starts again"
"""A step of this text."""
MARK = "zz.mark"
"""Prefix of the logical messages that end each step; their records tell how far a connector is."""
PREFIX = "side"
"""First letters of every topic prefix."""


@dataclass(frozen=True)
class Deviation:
    """Differences that are meant.

    Attributes:
        path: regular expression of the places (`topic#number.value.payload.after.a`), searched in them.
        cites: words that docs/compatibility.md has.
        what: regular expression of `Java's value != ours`.
    """

    path: str
    cites: str
    what: str = ""


@dataclass(frozen=True)
class Case:
    """One configuration.

    Attributes:
        name: unique; part of slot, publication and topic prefix.
        options: on top of those that every connector has here; None takes one away.
        deviations: on top of those of the workload.
        ends_with_copy: the connector does not stream, its last record is the copy's.
    """

    name: str
    options: Mapping[str, str | None] = field(default_factory=dict)
    deviations: tuple[Deviation, ...] = ()
    ends_with_copy: bool = False


@dataclass(frozen=True)
class Workload:
    """What happens in one database, seen by several connectors at once.

    Attributes:
        setup: statements before the connectors start.
        steps: statements, each in a transaction of its own unless its text has several; connectors are up to
            date before the next step begins.
    """

    name: str
    setup: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]
    cases: tuple[Case, ...]
    deviations: tuple[Deviation, ...] = ()


def options(case: Case, database: str, server: Mapping[str, str]) -> dict[str, str]:
    """The connector's configuration."""
    name = prefix_of(case)
    json = "org.apache.kafka.connect.json.JsonConverter"
    every: dict[str, str | None] = {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "topic.prefix": name,
        **server,
        "database.dbname": database,
        "plugin.name": "pgoutput",
        "slot.name": f"{database}_{case.name}",
        "publication.name": name,
        "publication.autocreate.mode": "filtered",
        "poll.interval.ms": "20",
        "column.defaults": "all",
        "key.converter": json,
        "key.converter.replace.null.with.default": "false",
        "value.converter": json,
        "value.converter.replace.null.with.default": "false",
        "header.converter": json,
        "header.converter.schemas.enable": "true",
    }
    return {option: value for option, value in {**every, **case.options}.items() if value is not None}


def prefix_of(case: Case) -> str:
    """The case's topic prefix; none is part of another."""
    return f"{PREFIX}_{case.name}_z"
