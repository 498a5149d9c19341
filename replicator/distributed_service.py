"""The composition root of one distributed worker: broker, internal topics, worker, herder and REST.

`start` returns at once; the herder opens the topics and joins its group in the background, and tries for as long as
Kafka is away. `stop` drains the tasks and leaves the group, so that others take over at once (INV-8).
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from replicator import interpreter
from replicator.api.errors import ConfigError
from replicator.broker.kafka import KafkaBroker
from replicator.broker.kafka.python_client import settings
from replicator.config.listeners import Listener, advertised, parse_listeners
from replicator.config.providers import Resolver
from replicator.config.worker import DISTRIBUTED, WorkerConfig
from replicator.herder.distributed import DistributedHerder
from replicator.herder.membership import GroupOptions
from replicator.herder.reloads import Reloads
from replicator.plugins.discovery import config_providers
from replicator.plugins.registry import Registry
from replicator.runtime.assembly import WorkerParts
from replicator.runtime.clock import SystemClock
from replicator.runtime.worker import Worker
from replicator.storage.config_store import TopicConfigStore
from replicator.storage.offset_store import TopicOffsetStore
from replicator.storage.status_store import TopicStatusStore

log = logging.getLogger(__name__)

_LISTENERS: Final = "http://:8083"
_CLIENT: Final = {
    "request.timeout.ms": "request_timeout_ms",
    "connections.max.idle.ms": "connections_max_idle_ms",
    "metadata.max.age.ms": "metadata_max_age_ms",
    "reconnect.backoff.ms": "reconnect_backoff_ms",
    "reconnect.backoff.max.ms": "reconnect_backoff_max_ms",
}


class DistributedService:
    """A worker of a group.

    Attributes:
        config: the worker's options, resolved.
        registry: known plugins.
        herder: what runs where; its `loop.failure` tells why a worker ended by itself.
        url: REST address that other workers use.
    """

    def __init__(self, options: Mapping[str, Any], *, registry: Registry | None = None) -> None:
        """Build everything; nothing runs before `start`.

        Raises:
            ConfigError: an option is missing or wrong.
        """
        for name in ("bootstrap.servers", *DISTRIBUTED):
            if not str(options.get(name) or "").strip():
                raise ConfigError(
                    f'Missing required configuration "{name}" which has no default value.', option=name
                )
        raw = {"listeners": _LISTENERS, **options}
        resolver = Resolver.of_worker(raw, config_providers)
        self.config = WorkerConfig(resolver.resolve(raw))
        self.registry = registry or Registry(plugin_path=self.config["plugin.path"])
        self._broker = KafkaBroker(self.config.raw)
        self._listeners = self._chosen_listeners()
        self.url = self._advertised()
        self._offsets = TopicOffsetStore(
            self._broker, self.config["offset.storage.topic"], **self._topic("offset")
        )
        self._configs = TopicConfigStore(
            self._broker, self.config["config.storage.topic"], **self._topic("config")
        )
        self._statuses = TopicStatusStore(
            self._broker, self.config["status.storage.topic"], **self._topic("status")
        )
        parts = WorkerParts(self.config, self.registry, self._broker, self._offsets, resolver, SystemClock())
        self.herder = DistributedHerder(
            Worker(parts), self._configs, self._statuses, self._group(), startup=self._open_stores
        )
        self._reloads = Reloads(self.herder, resolver, active=self._leads)
        self._opened: list[Callable[[], None]] = []
        self._closers: list[Callable[[], None]] = []

    def start(self) -> None:
        """Serve REST and join the group.

        Raises:
            ConfigError: the port is in use.
        """
        interpreter.settle()
        self._closers.append(self._broker.close)
        self._bind_schema_registry()
        try:
            self._serve()
            self.herder.start()
            self._reloads.start()
            self._closers.append(self._reloads.stop)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Drain and leave the group, then close everything."""
        self.herder.stop()
        while self._opened:
            self._opened.pop()()
        while self._closers:
            self._closers.pop()()

    def _bind_schema_registry(self) -> None:
        from replicator.converters.registry import local
        from replicator.storage.schema_log import open_registry

        factor = int(self.config["config.storage.replication.factor"])
        self._closers.append(local.bind(open_registry(self._broker, replication_factor=factor)))

    def _leads(self) -> bool:
        joined = self.herder.loop.joined
        return joined is not None and joined.leads

    def _open_stores(self) -> None:
        """Open the internal topics; called again when Kafka was away."""
        stores: list[TopicOffsetStore | TopicStatusStore | TopicConfigStore]
        stores = [self._offsets, self._statuses, self._configs]
        for store in stores[len(self._opened) :]:
            store.start()
            self._opened.append(store.stop)

    def _topic(self, storage: str) -> dict[str, Any]:
        found: dict[str, Any] = {
            "replication_factor": int(self.config[f"{storage}.storage.replication.factor"]),
            "settings": self.config.topic_settings(storage),
        }
        if storage != "config":
            found["partitions"] = int(self.config[f"{storage}.storage.partitions"])
        return found

    def _group(self) -> GroupOptions:
        config = self.config
        client = settings({n: str(v) for n, v in config.raw.items() if isinstance(v, (str, int))})
        # Other workers wait for nobody: a coordinator that is back must be found soon.
        client["reconnect_backoff_max_ms"] = 1000
        client |= {theirs: int(config.raw[name]) for name, theirs in _CLIENT.items() if config.raw.get(name)}
        client["client_id"] = config["client.id"] or f"connect-{self.url.partition('://')[2].rstrip('/')}"
        return GroupOptions(
            client=client,
            group=config["group.id"],
            url=self.url,
            protocol=config["connect.protocol"],
            session_ms=int(config["session.timeout.ms"]),
            heartbeat_ms=int(config["heartbeat.interval.ms"]),
            rebalance_ms=int(config["rebalance.timeout.ms"]),
            max_delay_ms=int(config["scheduled.rebalance.max.delay.ms"]),
        )

    def _chosen_listeners(self) -> list[Listener]:
        found = parse_listeners(self.config["listeners"] or ())
        if not found:
            raise ConfigError(
                "A distributed worker needs a REST listener: others forward to it.", option="listeners"
            )
        return [one if one.port else one._replace(port=_free_port(one.host)) for one in found]

    def _advertised(self) -> str:
        """Address of this worker for the others."""
        scheme, own, port = advertised(self._listeners, self.config["rest.advertised.listener"])
        host = self.config["rest.advertised.host.name"] or own
        if host in ("", "0.0.0.0", "::"):
            host = _own_address()
        host = f"[{host}]" if ":" in host else host
        return f"{scheme}://{host}:{self.config['rest.advertised.port'] or port}/"

    def _serve(self) -> None:
        from replicator.rest.server import RestServer
        from replicator.rest.setup import peer_context

        if any(one.scheme == "https" for one in self._listeners):
            self.herder.peer_tls = peer_context(self.config)
        server = RestServer.of_worker(self.herder, self.config, self._broker, listeners=self._listeners)
        server.start()
        self._closers.append(server.stop)
        log.info("REST API listens on %s, other workers use %s", server.url, self.url)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _own_address() -> str:
    """An address of this machine that other machines may know."""
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"
