#!/usr/bin/env python3
"""Entry point of the image: environment variables become worker options, then the program takes this process' place.

    sync SOURCE_URL TARGET_URL [OPTIONS]    a pipeline; without URLs: REPLICATOR_SOURCE_URL and REPLICATOR_TARGET_URL
    distributed                             a worker of a group, its options from the environment
    distributed /path/worker.properties     the same, options from a file
    standalone CONNECTOR_FILE...            a worker for itself, its options from the environment
    standalone WORKER_FILE -- FILE...       the same, options from a file
    verify | status | connectors | ...      any other command

CONNECT_BOOTSTRAP_SERVERS is option bootstrap.servers, and so on: `_` is a dot, `__` an underscore, `___` a hyphen, as
in Confluent's images. Variables that Debezium's image reads without the prefix (GROUP_ID, ...) are read too. Without a
command the image starts a distributed worker if it knows where Kafka is.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

PREFIX = "CONNECT_"
NOT_OPTIONS = ("CONNECT_LOG4J_", "CONNECT_CUB_")
"""Variables of the JVM images that configure something else."""
DEBEZIUM = {
    "BOOTSTRAP_SERVERS": "bootstrap.servers",
    "GROUP_ID": "group.id",
    "CONFIG_STORAGE_TOPIC": "config.storage.topic",
    "OFFSET_STORAGE_TOPIC": "offset.storage.topic",
    "STATUS_STORAGE_TOPIC": "status.storage.topic",
    "KEY_CONVERTER": "key.converter",
    "VALUE_CONVERTER": "value.converter",
    "OFFSET_FLUSH_INTERVAL_MS": "offset.flush.interval.ms",
    "OFFSET_FLUSH_TIMEOUT_MS": "offset.flush.timeout.ms",
    "SHUTDOWN_TIMEOUT": "task.shutdown.graceful.timeout.ms",
    "ADVERTISED_HOST_NAME": "rest.advertised.host.name",
}
REQUIRED = (
    "bootstrap.servers",
    "group.id",
    "config.storage.topic",
    "offset.storage.topic",
    "status.storage.topic",
)


def option_name(variable: str) -> str:
    """CONNECT_A_B__C___D -> a.b_c-d."""
    text = variable.removeprefix(PREFIX).lower()
    return (
        text.replace("___", "\0").replace("__", "\1").replace("_", ".").replace("\0", "-").replace("\1", "_")
    )


def worker_options(environ: Mapping[str, str]) -> dict[str, str]:
    """The worker's options; what carries the prefix wins."""
    found = {option: environ[name] for name, option in DEBEZIUM.items() if environ.get(name)}
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and not name.startswith(NOT_OPTIONS):
            found[option_name(name)] = value
    # A container's own loopback address would be of no use to anybody.
    found.setdefault("listeners", "http://:8083")
    return found


def command(words: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The program's arguments.

    Raises:
        SystemExit: something is missing in the environment.
    """
    if not words:
        words = ["distributed"] if worker_options(environ).get("bootstrap.servers") else ["--help"]
    first, rest = words[0], list(words[1:])
    if "--help" in rest or "-h" in rest:
        return [first, *rest]
    if first == "sync" and not _positional(rest):
        return ["sync", _url("REPLICATOR_SOURCE_URL", environ), _url("REPLICATOR_TARGET_URL", environ), *rest]
    if first == "distributed" and not _positional(rest):
        options = worker_options(environ)
        _check(options)
        return ["distributed", str(_written(options)), *rest]
    if first == "standalone":
        if "--" in rest:
            rest.remove("--")
            return ["standalone", *rest]
        options = worker_options(environ)
        if "bootstrap.servers" not in options:
            options.setdefault("data.dir", environ.get("REPLICATOR_DATA_DIR", "/var/lib/replicator"))
        return ["standalone", str(_written(options)), *rest]
    return [first, *rest]


def _positional(words: Sequence[str]) -> bool:
    """Whether the first argument is no option: files and URLs come first."""
    return bool(words) and not words[0].startswith("-")


def _url(name: str, environ: Mapping[str, str]) -> str:
    """The value, or where it holds secrets itself only its name: no process list shows it then."""
    value = environ.get(name)
    if not value:
        sys.exit(f"sync needs SOURCE_URL and TARGET_URL, or the environment variable {name}")
    return value if "${" in value else "${env:" + name + "}"


def _check(options: Mapping[str, str]) -> None:
    missing = [PREFIX + name.upper().replace(".", "_") for name in REQUIRED if not options.get(name)]
    if missing:
        sys.exit(
            f"distributed needs the environment variables {', '.join(missing)}, or a file of worker options"
        )


def _written(options: Mapping[str, str]) -> Path:
    """A file that only this user can read."""
    number, name = tempfile.mkstemp(prefix="worker-", suffix=".json")
    with open(number, "w", encoding="utf-8") as out:
        json.dump(options, out, indent=2)
    return Path(name)


def main() -> None:
    """Become the program."""
    arguments = command(sys.argv[1:], os.environ)
    os.execvp("replicator", ["replicator", *arguments])


if __name__ == "__main__":
    main()
