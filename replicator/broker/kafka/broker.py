"""The Kafka broker: hands out clients of one cluster (D2). Any thread.

A client's options are, from low to high: the framework's, the worker's addresses and security, the caller's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from replicator.api.record import TopicPartition
from replicator.broker.kafka.admin import KafkaAdmin
from replicator.broker.kafka.consumer import KafkaConsumer
from replicator.broker.kafka.options import layered, librdkafka, worker_client_options
from replicator.broker.kafka.producer import KafkaProducer
from replicator.broker.kafka.topic_watch import TopicWatch
from replicator.broker.kafka.transactions import TransactionalKafkaProducer

log = logging.getLogger(__name__)


class KafkaBroker:
    """See the module."""

    def __init__(self, worker: Mapping[str, Any]) -> None:
        """Prepare; nothing is connected yet.

        Args:
            worker: the worker's options; `bootstrap.servers`, security and connection options are used.

        Raises:
            ConfigError: one of them cannot be honoured.
        """
        self._shared = worker_client_options(worker)
        self._client_prefix = str(worker.get("client.id") or "")
        admin = layered(self._shared, _prefixed(worker, "admin."))
        self._admin = KafkaAdmin({**librdkafka(admin), "client.id": self._name("admin")}, self._fence, admin)
        self._watch = TopicWatch(self._admin.topic_names)

    def producer(
        self,
        client_id: str,
        *,
        transactional_id: str | None = None,
        superseded: threading.Event | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> KafkaProducer:
        """A producer; with `transactional_id` it fences its predecessors."""
        settings = self._settings(client_id, options)
        if transactional_id is None:
            return KafkaProducer(settings)
        return TransactionalKafkaProducer(settings, transactional_id, superseded)

    def consumer(
        self,
        client_id: str,
        group: str | None = None,
        *,
        start: str = "earliest",
        instance_id: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> KafkaConsumer:
        """A consumer; `start` says where a group without a position begins."""
        settings = self._settings(client_id, options)
        settings.pop("group.id", None)
        start = settings.pop("auto.offset.reset", start)
        if instance_id is not None:
            settings.setdefault("group.instance.id", instance_id)
        return KafkaConsumer(settings, group, start, self._offsets, self._watch)

    def admin(self) -> KafkaAdmin:
        """The shared admin client."""
        return self._admin

    def cluster_id(self) -> str:
        """Identity of the cluster."""
        return self._admin.cluster_id()

    def close(self) -> None:
        """Nothing to release: clients end by themselves."""

    def __enter__(self) -> KafkaBroker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _settings(self, client_id: str, options: Mapping[str, Any] | None) -> dict[str, str]:
        return {**librdkafka(layered(self._shared, options or {})), "client.id": self._name(client_id)}

    def _name(self, client_id: str) -> str:
        return f"{self._client_prefix}-{client_id}" if self._client_prefix else client_id

    def _offsets(self, partitions: Sequence[TopicPartition], start: str) -> dict[TopicPartition, int]:
        ask = self._admin.next_committed if start == "latest" else self._admin.begin_offsets
        return ask(partitions)

    def _fence(self, transactional_id: str) -> None:
        TransactionalKafkaProducer(self._settings("fencing", None), transactional_id).close()


def _prefixed(options: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name[len(prefix) :]: value for name, value in options.items() if name.startswith(prefix)}
