"""The servers that a checkout shares between its developer and its test runs; `.dev/servers.json`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripts.devservers import place, private
from scripts.devservers.instance import Instance, say
from scripts.devservers.kafka import Kafka
from scripts.devservers.mariadb import MariaDb
from scripts.devservers.mysql import MySql
from scripts.devservers.postgres import Postgres

KINDS: dict[str, type[Instance]] = {cls.kind: cls for cls in (Postgres, MySql, MariaDb, Kafka)}


def ensure_running(kind: str) -> Instance:
    """Get, start and remember a server; returns at once when it runs. Raises ServerUnavailable."""
    with place.locked():
        instance = _known(kind)
        if instance is not None and instance.is_running():
            instance.start()  # waits when it was started a moment ago
            return instance
        KINDS[kind].get()
        if instance is None:
            instance = KINDS[kind](place.data_folder(kind))
            instance.on_change = _remember
        say(f"starting {kind}")
        instance.start()
        say(f"{kind} {instance.running_version} listens on {instance.host}:{instance.port}")
        return instance


def get(kinds: Iterable[str]) -> None:
    """Make the programs available without starting anything."""
    with place.locked():
        for kind in kinds:
            KINDS[kind].get()
            say(f"{kind} {KINDS[kind].version()} is available")


def stop(kinds: Iterable[str]) -> None:
    """Stop what this checkout started; a data folder outside the checkout goes with it."""
    with place.locked():
        for kind in kinds:
            instance = _known(kind)
            if instance is None:
                continue
            if instance.is_running():
                say(f"stopping {kind}")
            instance.stop()
            if place.is_outside(instance.data):
                place.remove_data(instance.data)
        private.sweep()


def wipe(kinds: Iterable[str]) -> None:
    """Stop the servers and remove their data; the programs stay."""
    chosen = list(kinds)
    stop(chosen)
    with place.locked():
        for kind in chosen:
            instance = _known(kind)
            if instance is not None:
                place.remove_data(instance.data)
            shutil.rmtree(place.DEV / "data" / f"{kind}.new", ignore_errors=True)
            _store({name: entry for name, entry in _load().items() if name != kind})


def status() -> dict[str, dict[str, Any]]:
    """Every remembered server and whether it runs."""
    return {
        kind: {**entry, "running": _instance(kind, entry).is_running()} for kind, entry in _load().items()
    }


def _known(kind: str) -> Instance | None:
    entry = _load().get(kind)
    if entry is None:
        return None
    instance = _instance(kind, entry)
    if not place.is_ours(instance.data):
        return None  # the checkout was copied: the server belongs to the original
    if place.is_outside(instance.data) and not instance.is_running() and not instance.data.exists():
        return None  # its folder outside the checkout went at the last stop: choose the place anew
    instance.on_change = _remember
    return instance


def _instance(kind: str, entry: dict[str, Any]) -> Instance:
    instance = KINDS[kind](Path(entry["data"]), entry["port"], entry["pid"], entry["ticks"])
    instance.running_version = entry["version"]
    return instance


def _load() -> dict[str, dict[str, Any]]:
    try:
        loaded: dict[str, dict[str, Any]] = json.loads((place.DEV / "servers.json").read_text())
    except (OSError, ValueError):
        return {}
    return loaded


def _remember(instance: Instance) -> None:
    _store({**_load(), instance.kind: instance.record()})


def _store(entries: dict[str, dict[str, Any]]) -> None:
    fresh = place.dev_folder() / "servers.json.new"
    fresh.write_text(json.dumps(entries, indent=2) + "\n")
    fresh.replace(place.DEV / "servers.json")
