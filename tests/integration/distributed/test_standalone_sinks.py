"""The consumer groups of a standalone worker's sinks on Kafka: static members, looked after as in a group."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from replicator.api.record import TopicPartition
from replicator.broker.kafka.admin import KafkaAdmin
from replicator.herder import sink_groups
from replicator.service import Service
from tests.support.fix_servers import KafkaServer
from tests.support.worker_group import until

STRING = "org.apache.kafka.connect.storage.StringConverter"


class Sink:
    """A file sink of two tasks, on a worker within this process."""

    def __init__(self, kafka: KafkaServer, prefix: str, folder: Path) -> None:
        self.kafka, self.prefix, self.out = kafka, prefix, folder / "out.txt"
        self.name = f"{prefix}out"
        self.group = f"connect-{self.name}"
        self.service = Service(
            {
                "bootstrap.servers": kafka.bootstrap,
                "offset.storage.file.filename": str(folder / "offsets"),
                "offset.flush.interval.ms": "200",
                "listeners": "off",
                "key.converter": STRING,
                "value.converter": STRING,
            }
        )

    def topic(self, name: str) -> str:
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap})
        topic = f"{self.prefix}{name}"
        next(iter(admin.create_topics([NewTopic(topic, 2, 1)]).values())).result(20)
        return topic

    def reads(self, topic: str) -> None:
        config = {
            "connector.class": "FileStreamSink", "tasks.max": "2", "file": str(self.out), "topics": topic,
        }  # fmt: skip
        self.service.herder.put_connector_config(self.name, config)
        until(lambda: self.assigned() == partitions(topic), 30, f"both partitions of {topic} are read")

    def assigned(self) -> set[TopicPartition] | None:
        return self.service.broker.admin().assigned_partitions(self.group)

    def arrive(self, topic: str, text: str) -> None:
        """One line through each partition."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap})
        for partition in range(2):
            producer.produce(topic, f"{text}{partition}", partition=partition)
        assert producer.flush(20) == 0
        wanted = {f"{text}{partition}" for partition in range(2)}
        until(lambda: wanted <= set(self.out.read_text().split()), 30, f"{text} arrives")


def partitions(topic: str) -> set[TopicPartition]:
    return {TopicPartition(topic, number) for number in range(2)}


@pytest.fixture
def sink(kafka: KafkaServer, kafka_prefix: str, tmp_path: Path) -> Iterator[Sink]:
    made = Sink(kafka, kafka_prefix, tmp_path)
    yield made
    made.service.stop()


def test_other_topics(sink: Sink):
    """Members that came back would have the partitions of the former topic until their session ends."""
    sink.service.start()
    first, second = sink.topic("first"), sink.topic("second")
    sink.reads(first)
    sink.arrive(first, "a")
    sink.reads(second)
    sink.arrive(second, "b")
    sink.service.herder.delete_connector(sink.name)
    assert sink.service.broker.admin().group_members(sink.group) == 0


def test_partitions_that_nobody_reads(sink: Sink, monkeypatch: pytest.MonkeyPatch):
    """The group shares anew, and goes on."""
    monkeypatch.setattr(sink_groups, "LOOK_SECONDS", 0.2)
    forgotten, released = threading.Event(), threading.Event()
    ask, release = KafkaAdmin.assigned_partitions, KafkaAdmin.release_static_members

    def assigned(admin: KafkaAdmin, group: str) -> set[TopicPartition] | None:
        found = ask(admin, group)
        return {tp for tp in found if tp.partition} if found and forgotten.is_set() else found

    def releasing(admin: KafkaAdmin, group: str, members: list[str]) -> None:
        assert (group, members) == (sink.group, [f"{sink.name}-0"])
        forgotten.clear()
        release(admin, group, members)
        released.set()

    sink.service.start()
    topic = sink.topic("t")
    sink.reads(topic)
    sink.arrive(topic, "a")
    monkeypatch.setattr(KafkaAdmin, "assigned_partitions", assigned)
    monkeypatch.setattr(KafkaAdmin, "release_static_members", releasing)
    forgotten.set()
    assert released.wait(30)
    monkeypatch.undo()
    until(lambda: sink.assigned() == partitions(topic), 30, "both partitions are read")
    sink.arrive(topic, "b")
