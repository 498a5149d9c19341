"""A worker's configuration, parsed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from replicator.config.group_options import GROUP_OPTIONS
from replicator.config.listeners import Listener, advertised, parse_listeners
from replicator.config.worker_options import OPTIONS

WORKER_DEF: Final = OPTIONS.merged(GROUP_OPTIONS)
"""Every option of a worker."""

DISTRIBUTED: Final = ("group.id", "config.storage.topic", "offset.storage.topic", "status.storage.topic")
"""Options that a distributed worker must set."""


class WorkerConfig:
    """Parsed worker options.

    Attributes:
        raw: the options as given (resolved), including converter and client sub-options.
        values: parsed values of the declared options.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw: dict[str, Any] = dict(raw)
        self.values = WORKER_DEF.parse(self.raw)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def data_dir(self) -> Path | None:
        """Folder of the embedded log."""
        folder = self.values["data.dir"]
        return Path(folder) if folder else None

    @property
    def kafka(self) -> bool:
        """Whether topics live in Kafka."""
        return bool(self.values["bootstrap.servers"])

    def seconds(self, name: str) -> float:
        """An option in milliseconds, as seconds."""
        return float(self.values[name]) / 1000.0

    def topic_settings(self, storage: str) -> dict[str, str]:
        """Configuration of an internal topic (`config`, `offset` or `status`) when it is made."""
        prefix = f"{storage}.storage."
        own = ("topic", "replication.factor", "partitions", "cleanup.policy", "file.filename")
        given = {n.removeprefix(prefix): str(v) for n, v in self.raw.items() if n.startswith(prefix)}
        return {n: v for n, v in given.items() if n not in own}

    @property
    def listener(self) -> tuple[str, int] | None:
        """Host and port of the first listener, or None when REST is off."""
        listeners = parse_listeners(self.values["listeners"] or ())
        return (listeners[0].host, listeners[0].port) if listeners else None

    @property
    def worker_id(self) -> str:
        """`host:port` shown in states."""
        listeners = parse_listeners(self.values["listeners"] or ()) or [Listener("http", "127.0.0.1", 8083)]
        _, host, port = advertised(listeners, self.values["rest.advertised.listener"])
        host = self.values["rest.advertised.host.name"] or host or "127.0.0.1"
        return f"{host}:{self.values['rest.advertised.port'] or port}"
