"""Accounts of Kafka that lack one right at a time: what is to be granted. Exactly-once, as that needs most."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from replicator.api.errors import BrokerError, ConnectError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import NewTopic
from replicator.broker.kafka import KafkaBroker
from replicator.distributed_service import DistributedService
from tests.support.secured_kafka import Right, Secured, account, grant

GROUP, TOPIC, ID = ResourceType.GROUP, ResourceType.TOPIC, ResourceType.TRANSACTIONAL_ID
READ, WRITE, CREATE = AclOperation.READ, AclOperation.WRITE, AclOperation.CREATE
CONFIGS = AclOperation.DESCRIBE_CONFIGS
TEXT = "org.apache.kafka.connect.storage.StringConverter"


def rights_of_worker(prefix: str) -> dict[str, Right]:
    """What a worker needs that keeps its three topics, and whose sources are exactly-once."""
    return {
        "group": (GROUP, f"{prefix}group", READ),
        "read": (TOPIC, f"{prefix}in-*", READ),
        "write": (TOPIC, f"{prefix}in-*", WRITE),
        "create": (TOPIC, f"{prefix}in-*", CREATE),
        "look at": (TOPIC, f"{prefix}in-*", CONFIGS),
        "leader": (ID, f"connect-cluster-{prefix}group", WRITE),
    }


def worker_options(node: Secured, prefix: str) -> dict[str, str]:
    storage = ("config", "offset", "status")
    return node.options("sasl", **account("SCRAM-SHA-512", user="lena")) | {
        "group.id": f"{prefix}group",
        **{f"{s}.storage.topic": f"{prefix}in-{s}" for s in storage},
        **{f"{s}.storage.replication.factor": "1" for s in storage},
        "offset.storage.partitions": "1",
        "status.storage.partitions": "1",
        "exactly.once.source.support": "enabled",
        "offset.flush.interval.ms": "500",
        "listeners": "http://127.0.0.1:0",
        "key.converter": TEXT,
        "value.converter": TEXT,
    }


def eventually(condition: Callable[[], bool], timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.1)


def failure(worker: DistributedService) -> str:
    """Why the worker ended by itself: what its log and the last words of its process are."""
    eventually(lambda: worker.herder.loop.failure is not None)
    return str(worker.herder.loop.failure)


START = {
    "group": (r"GroupAuthorizationFailed", r"Grant READ on the group named by group\.id"),
    "read": (r"to read the topic \S+in-(config|status|offset)", r"Grant .* READ on the topic \S+in-"),
    "leader": (
        r"connect-cluster-\S+group",
        r"Grant .* WRITE and DESCRIBE on the transactional id connect-cluster-",
    ),
}


@pytest.mark.parametrize("lacking", START)
def test_a_worker_that_lacks_a_right(node: Secured, lacking: str) -> None:
    prefix = f"w{uuid.uuid4().hex[:8]}-"
    rights = rights_of_worker(prefix)
    grant(node, *(right for name, right in rights.items() if name != lacking))
    worker = DistributedService(worker_options(node, prefix))
    worker.start()
    try:
        told = failure(worker)
    finally:
        worker.stop()
    for said in START[lacking]:
        assert re.search(said, told), told


@pytest.fixture(scope="module")
def prefix() -> str:
    return f"r{uuid.uuid4().hex[:8]}-"


@pytest.fixture(scope="module")
def worker(node: Secured, prefix: str) -> Iterator[DistributedService]:
    """A worker whose account may use `ok`, and of the other names all but one right."""
    both = [READ, WRITE, CREATE]
    grant(
        node,
        *rights_of_worker(prefix).values(),
        *((TOPIC, f"{prefix}ok", operation) for operation in both),
        (TOPIC, f"{prefix}unwritable", READ),
        (TOPIC, f"{prefix}unreadable", WRITE),
        (TOPIC, f"{prefix}unreadable", CREATE),
        *((ID, f"{prefix}group-{name}-0", WRITE) for name in ("copies", "writes")),
        *((GROUP, f"connect-{name}", READ) for name in ("prints", "reads")),
    )
    with KafkaBroker(node.options("sasl", **account("SCRAM-SHA-512"))) as broker:
        broker.admin().create_topics(
            [NewTopic(f"{prefix}{n}", 1) for n in ("ok", "unwritable", "unreadable")]
        )
    service = DistributedService(worker_options(node, prefix))
    service.start()
    yield service
    service.stop()


def source(worker: DistributedService, name: str, topic: str, file: Path) -> None:
    put(worker, name, {"connector.class": "FileStreamSource", "topic": topic, "file": str(file)})


def sink(worker: DistributedService, name: str, topic: str, file: Path) -> None:
    put(worker, name, {"connector.class": "FileStreamSink", "topics": topic, "file": str(file)})


def put(worker: DistributedService, name: str, config: dict[str, str]) -> None:
    def done() -> bool:
        try:
            worker.herder.put_connector_config(name, {"name": name, "tasks.max": "1", **config})
        except BrokerError:
            raise
        except ConnectError:
            return False  # still starting, or in a round
        return True

    eventually(done)


def trace(worker: DistributedService, name: str) -> str:
    found = ""

    def failed() -> bool:
        nonlocal found
        try:
            status = worker.herder.task_status(name, 0)
        except ConnectError:
            return False
        found = status.trace or ""
        return str(status.state).endswith("FAILED")

    eventually(failed)
    return found


def test_everything_that_is_needed(worker: DistributedService, prefix: str, tmp_path: Path) -> None:
    lines, printed = tmp_path / "lines", tmp_path / "printed"
    lines.write_text("a\nb\n")
    source(worker, "copies", f"{prefix}ok", lines)
    sink(worker, "prints", f"{prefix}ok", printed)
    eventually(lambda: printed.exists() and printed.read_text() == "a\nb\n")


def test_tasks_that_lack_a_right(worker: DistributedService, prefix: str, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_text("a\n")
    source(worker, "writes", f"{prefix}unwritable", lines)
    source(worker, "strange", f"{prefix}ok", lines)
    sink(worker, "reads", f"{prefix}unreadable", tmp_path / "one")
    sink(worker, "outside", f"{prefix}ok", tmp_path / "two")
    granted = {
        "writes": rf"WRITE on the topics \S+, {prefix}unwritable",
        "strange": f"WRITE and DESCRIBE on the transactional id {prefix}group-strange-0",
        "reads": f"READ on the topic {prefix}unreadable",
        "outside": "READ on the group connect-outside",
    }
    for name, right in granted.items():
        assert re.search(rf"Grant the service's principal {right}\.", trace(worker, name))


def test_groups_of_others(node: Secured, prefix: str) -> None:
    tp = TopicPartition(f"{prefix}ok", 0)
    with KafkaBroker(node.options("sasl", **account("PLAIN", user="lena"))) as broker:
        admin = broker.admin()
        for request, right in (
            (lambda: admin.group_offsets("another"), "DESCRIBE"),
            (lambda: admin.alter_group_offsets("another", {tp: OffsetAndMetadata(0)}), "READ"),
            (lambda: admin.delete_group("another"), "DELETE"),
        ):
            with pytest.raises(
                BrokerError, match=f"Grant the service's principal {right} on the group another"
            ):
                request()
