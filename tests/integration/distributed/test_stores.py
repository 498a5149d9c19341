"""Several workers open the internal topics at the same moment, before these exist: all see what each of them writes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from replicator.broker.kafka import KafkaBroker
from replicator.storage.states import ConnectorStatus, State
from replicator.storage.status_store import TopicStatusStore
from tests.support.fix_servers import KafkaServer
from tests.support.worker_group import until

WORKERS = 3
ROUNDS = 5


def test_topics_that_another_worker_is_creating(kafka: KafkaServer):
    """A log that finds no partitions, as the topic is a moment old, would never see anything."""
    brokers = [KafkaBroker({"bootstrap.servers": kafka.bootstrap}) for _ in range(WORKERS)]
    for broker in brokers:
        broker.admin().cluster_id()  # connected, so that they meet
    with ThreadPoolExecutor(WORKERS) as pool:
        for number in range(ROUNDS):
            meet(brokers, pool, f"stores-{time.time_ns()}-{number}")


def meet(brokers: list[KafkaBroker], pool: ThreadPoolExecutor, topic: str) -> None:
    stores = [TopicStatusStore(broker, topic, partitions=2, replication_factor=1) for broker in brokers]
    ready = threading.Barrier(WORKERS)

    def start(store: TopicStatusStore) -> None:
        ready.wait()
        store.start()

    list(pool.map(start, stores))
    try:
        names = {f"c{n}" for n in range(WORKERS)}
        for number, store in enumerate(stores):
            store.put(ConnectorStatus(f"c{number}", State.RUNNING, f"worker-{number}", 1))
        for store in stores:
            until(lambda s=store: s.connectors() == names, 20, f"{topic}: every store has all states", 0.01)
    finally:
        for store in stores:
            store.stop()
        brokers[0].admin().delete_topic(topic)
