"""Throw-away instances for tests that stop or kill a server; swept away when their owner died first."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.devservers import place, process
from scripts.devservers.instance import Instance
from scripts.devservers.kafka import Kafka
from scripts.devservers.mariadb import MariaDb
from scripts.devservers.mysql import MySql
from scripts.devservers.postgres import Postgres

_KINDS: dict[str, type[Instance]] = {cls.kind: cls for cls in (Postgres, MySql, MariaDb, Kafka)}
_numbers = itertools.count(1)


@contextmanager
def private_instance(kind: str, configure: Callable[[Any], None] | None = None) -> Iterator[Instance]:
    """A started instance with its own port and data; wiped at the end. Raises ServerUnavailable.

    Args:
        kind: Which server.
        configure: Called with the instance before its first start.
    """
    sweep()
    name = f"private-{kind}-{os.getpid()}-{next(_numbers)}"
    with place.locked():
        _KINDS[kind].get()
    instance = _KINDS[kind](place.data_folder(kind, name))
    note = _notes() / f"{name}.json"
    instance.on_change = lambda changed: _write(note, changed)
    if configure is not None:
        configure(instance)
    try:
        instance.start()
        yield instance
    finally:
        instance.resume()
        instance.wipe()
        note.unlink(missing_ok=True)


def sweep() -> None:
    """End and remove private instances whose owning process is gone."""
    for note in sorted(_notes().glob("*.json")):
        try:
            entry = json.loads(note.read_text())
        except (OSError, ValueError):
            continue
        if process.is_same(entry["owner"], entry["owner_ticks"]):
            continue
        found = _KINDS[entry["kind"]](Path(entry["data"]), entry["port"], entry["pid"], entry["ticks"])
        found.resume()
        found.wipe()
        note.unlink(missing_ok=True)


def _notes() -> Path:
    return place.open_folder(place.dev_folder() / "private")


def _write(note: Path, instance: Instance) -> None:
    owner = os.getpid()
    entry = {
        "kind": instance.kind,
        "owner": owner,
        "owner_ticks": process.start_ticks(owner),
        **instance.record(),
    }
    fresh = note.with_suffix(".new")
    fresh.write_text(json.dumps(entry))
    fresh.replace(note)
