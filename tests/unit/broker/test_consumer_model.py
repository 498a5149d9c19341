"""A consumer against a simple model, through any mix of appends, seeks, pauses and polls; and under threads."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from replicator.api import TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage

TPS = [TopicPartition("a", 0), TopicPartition("b", 0), TopicPartition("b", 1)]
partitions = st.sampled_from(TPS)


class ConsumerModel(RuleBasedStateMachine):
    """The model: one list of everything appended, and a position per partition."""

    @initialize()
    def open(self) -> None:
        self.broker = EmbeddedBroker(":memory:", maintenance=False)
        self.broker.admin().create_topics([NewTopic("a", 1), NewTopic("b", 2)])
        self.producer = self.broker.producer("p")
        self.consumer = self.broker.consumer("c")
        self.consumer.assign(TPS)
        self.everything: list[tuple[TopicPartition, int]] = []
        self.ends = dict.fromkeys(TPS, 0)
        self.positions = dict.fromkeys(TPS, 0)
        self.paused: set[TopicPartition] = set()

    @rule(where=st.lists(partitions, min_size=1, max_size=8), other=st.booleans())
    def append(self, where: list[TopicPartition], other: bool) -> None:
        messages = []
        for tp in where:
            messages.append(NewMessage(tp.topic, None, b"%d" % self.ends[tp], tp.partition))
            self.everything.append((tp, self.ends[tp]))
            self.ends[tp] += 1
        if other:
            messages.append(NewMessage("offsets", b"k", b"v"))
        self.producer.append(messages)

    @rule(tp=partitions, fraction=st.floats(0, 1))
    def seek(self, tp: TopicPartition, fraction: float) -> None:
        self.positions[tp] = int(self.ends[tp] * fraction)
        self.consumer.seek(tp, self.positions[tp])

    @rule(tp=partitions)
    def pause(self, tp: TopicPartition) -> None:
        self.paused.add(tp)
        self.consumer.pause([tp])

    @rule(tp=partitions)
    def resume(self, tp: TopicPartition) -> None:
        self.paused.discard(tp)
        self.consumer.resume([tp])

    @rule()
    def forget(self) -> None:
        self.broker.log.forget_tail()

    @rule(most=st.integers(1, 12))
    def poll(self, most: int) -> None:
        got = [(TopicPartition(m.topic, m.partition), m.offset) for m in self.consumer.poll(most, 0)]
        due = [(tp, at) for tp, at in self.everything if tp not in self.paused and at >= self.positions[tp]]
        assert got == due[: len(got)]
        assert len(got) == min(most, len(due))
        for tp, at in got:
            self.positions[tp] = at + 1

    @invariant()
    def positions_agree(self) -> None:
        if hasattr(self, "positions"):
            assert {tp: self.consumer.position(tp) for tp in TPS} == self.positions

    def teardown(self) -> None:
        if hasattr(self, "broker"):
            self.consumer.close()
            self.broker.close()


TestConsumerModel = ConsumerModel.TestCase
TestConsumerModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_threads_and_upkeep_disturb_nothing(tmp_path: Path) -> None:
    """Two producers, a reader, compaction, retention, checkpoints and lost memory, all at once."""
    rounds = 150
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        broker.admin().create_topics([NewTopic("offsets", 1, config={"cleanup.policy": "compact"})])
        stop = threading.Event()
        failures: list[BaseException] = []

        def produce(name: str) -> None:
            producer = broker.producer(name)
            for n in range(rounds):
                producer.append(
                    [NewMessage(f"{name}{i % 2}", None, b"%d" % (n * 10 + i)) for i in range(10)]
                    + [NewMessage("offsets", name.encode(), b"%d" % n)]
                )

        def disturb() -> None:
            try:
                while not stop.is_set():
                    broker.maintenance.run_once(time.time())
                    topic = broker.log.topics["offsets"]
                    broker.maintenance._compaction.compact(topic, topic.partitions[0], 0)
                    broker.maintenance.checkpoint()
                    broker.log.forget_tail()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=produce, args=(name,)) for name in "xy"]
        disturber = threading.Thread(target=disturb)
        for thread in [*threads, disturber]:
            thread.start()
        consumer = broker.consumer("c", "g")
        consumer.subscribe([f"{name}{i}" for name in "xy" for i in range(2)] + ["offsets"])
        seen: dict[str, list[int]] = {"x": [], "y": [], "offsets": []}
        deadline = time.monotonic() + 60
        while len(seen["x"]) + len(seen["y"]) < 20 * rounds and time.monotonic() < deadline:
            for message in consumer.poll(37, 0.2):
                name = message.topic if message.topic == "offsets" else message.topic[0]
                seen[name].append(message.offset if name == "offsets" else int(message.value or b""))
        for thread in threads:
            thread.join()
        stop.set()
        disturber.join()
        consumer.close()
    assert failures == []
    assert seen["x"] == seen["y"] == list(range(10 * rounds))
    assert seen["offsets"] == sorted(set(seen["offsets"]))
