"""The composition root: broker, stores, worker, herder and REST of one process.

`Service(options)` builds nothing that costs; `start` opens the log, `stop` drains tasks (INV-8) and
closes everything in reverse order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from replicator import interpreter
from replicator.api.errors import IllegalStateError
from replicator.broker.base import Broker
from replicator.config.providers import Resolver
from replicator.config.worker import WorkerConfig
from replicator.herder.reloads import Reloads
from replicator.herder.sink_groups import SinkGroups
from replicator.herder.standalone import StandaloneHerder
from replicator.plugins.discovery import config_providers
from replicator.plugins.registry import Registry
from replicator.runtime.assembly import WorkerParts
from replicator.runtime.clock import Clock, SystemClock
from replicator.runtime.worker import Worker
from replicator.storage.base import OffsetStore

log = logging.getLogger(__name__)

MEMORY = ":memory:"


def open_broker(config: WorkerConfig) -> Broker:
    """Kafka when `bootstrap.servers` is set, else the embedded log in `data.dir` or in memory (D2).

    Raises:
        RetriableError: Kafka cannot be reached.
        ConfigError: its options are wrong.
    """
    if config.kafka:
        from replicator.broker.kafka import KafkaBroker

        kafka = KafkaBroker(config.raw)
        log.info("Topics live in the Kafka cluster %s", kafka.cluster_id())
        return kafka
    from replicator.broker.embedded import EmbeddedBroker

    return EmbeddedBroker(config.data_dir or MEMORY)


class Service:
    """A standalone worker.

    Attributes:
        config: the worker's options, resolved.
        registry: known plugins.
        reloads: restarts connectors whose secrets change; exists once started.
    """

    reloads: Reloads

    def __init__(
        self,
        options: Mapping[str, Any] | WorkerConfig,
        *,
        registry: Registry | None = None,
        broker: Broker | None = None,
        clock: Clock | None = None,
    ) -> None:
        raw = options.raw if isinstance(options, WorkerConfig) else options
        self.resolver = Resolver.of_worker(raw, config_providers)
        self.config = WorkerConfig(self.resolver.resolve(raw))
        self.registry = registry or Registry(plugin_path=self.config["plugin.path"])
        self._broker = broker
        self._clock = clock or SystemClock()
        self._herder: StandaloneHerder | None = None
        self._closers: list[Callable[[], None]] = []

    @property
    def herder(self) -> StandaloneHerder:
        """The herder of a started service.

        Raises:
            IllegalStateError: the service is not started.
        """
        if self._herder is None:
            raise IllegalStateError("The service is not started.")
        return self._herder

    @property
    def broker(self) -> Broker:
        """The broker of a started service.

        Raises:
            IllegalStateError: the service is not started.
        """
        if self._broker is None:
            raise IllegalStateError("The service is not started.")
        return self._broker

    def start(self) -> None:
        """Open the log and serve REST; connectors are then given to `herder`."""
        interpreter.settle()
        try:
            broker = self._open_broker()
            store = self._open_offsets(broker)
            self._bind_schema_registry(broker)
            parts = WorkerParts(self.config, self.registry, broker, store, self.resolver, self._clock)
            self._herder = StandaloneHerder(Worker(parts))
            self._closers.append(self._herder.stop)
            self.reloads = Reloads(self._herder, self.resolver)
            self.reloads.start()
            self._closers.append(self.reloads.stop)
            if self.config.kafka:
                groups = SinkGroups(broker.admin, self._herder.started_sinks, self.resolver.resolve)
                groups.start()
                self._closers.append(groups.stop)
            self._serve(self._herder)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Drain tasks, then close everything."""
        while self._closers:
            self._closers.pop()()

    def _open_broker(self) -> Broker:
        if self._broker is None:
            self._broker = open_broker(self.config)
            self._closers.append(self._broker.close)
        return self._broker

    def _open_offsets(self, broker: Broker) -> OffsetStore:
        file = self.config["offset.storage.file.filename"]
        store: OffsetStore
        if file:
            from replicator.storage.file import FileOffsetStore

            store = FileOffsetStore(Path(file))
        else:
            from replicator.storage.offset_store import TopicOffsetStore

            # One worker for itself: as many replicas as the brokers give by default.
            store = TopicOffsetStore(broker, self.config["offset.storage.topic"], replication_factor=-1)
        store.start()
        self._closers.append(store.stop)
        return store

    def _bind_schema_registry(self, broker: Broker) -> None:
        from replicator.converters.registry import local
        from replicator.storage.schema_log import open_registry

        self._closers.append(local.bind(open_registry(broker)))

    def _serve(self, herder: StandaloneHerder) -> None:
        if self.config.listener is None:
            return
        from replicator.rest.server import RestServer

        server = RestServer.of_worker(herder, self.config, self.broker)
        server.start()
        self._closers.append(server.stop)
        log.info("REST API listens on %s", server.url)
