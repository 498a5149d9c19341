"""A record too large for Kafka: skipped and told of, or the task fails, as errors.tolerance says."""

from __future__ import annotations

import pytest

from replicator.api.record import TopicPartition
from replicator.broker.kafka import KafkaBroker
from replicator.testing.fakes import record
from tests.support.fix_servers import KafkaServer
from tests.unit.runtime.service_fixture import eventually, running, script, source, task_state


@pytest.mark.parametrize("tolerance", ["all", "none"])
def test_a_record_that_is_too_large(kafka: KafkaServer, kafka_prefix: str, tolerance: str) -> None:
    topic = f"{kafka_prefix}refused"
    own = script("src")
    values = ["x" * 2_000_000 if n in (2, 5) else str(n) for n in range(7)]
    own.add([record(value, n, topic=topic) for n, value in enumerate(values)])
    broker = KafkaBroker({"bootstrap.servers": kafka.bootstrap})
    options = {"errors.tolerance": tolerance, "topic.creation.default.replication.factor": "1"}
    options |= {"topic.creation.default.partitions": "1"}
    stores = {"offset.storage.topic": f"{kafka_prefix}offsets", "offset.storage.replication.factor": "1"}
    with running(broker, **stores) as service:
        service.herder.put_connector_config("src", source(**options))
        if tolerance == "none":
            eventually(lambda: task_state(service, "src") == "FAILED", 20)
            trace = service.herder.task_status("src", 0).trace or ""
            assert "Tolerance exceeded in error handler" in trace
            assert "larger than 1048576" in trace
        else:
            eventually(lambda: own.commits and own.commits[-1][-1][1] == {"n": 6}, 20)
            counts = service.herder.progress("src")[0].stats["errors"]
            assert (counts["errors"], counts["skipped"]) == (2, 2)
            consumer = broker.consumer("test")
            consumer.assign([TopicPartition(topic, 0)])
            seen = eventually(lambda: [m.value for m in consumer.poll(100, 5)], 20)
            consumer.close()
            assert seen == [b"0", b"1", b"3", b"4", b"6"]
    broker.close()
