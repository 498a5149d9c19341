"""Two workers share connectors and tasks, and answer alike."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from tests.support.fix_servers import KafkaServer
from tests.support.worker_group import Group, RestFailure, Worker, records, until

_numbers = itertools.count(1)
SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"
SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"


@pytest.fixture
def topic(group: Group, kafka: KafkaServer) -> str:
    """A topic with four partitions."""
    name = f"{group.prefix}data-{next(_numbers)}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for made in admin.create_topics([NewTopic(name, 4, 1)]).values():
        made.result(10)
    return name


def sink(group: Group, topic: str, tasks: int = 4, **more: str) -> dict[str, str]:
    file = group.folder / f"{topic}.out"
    return {"connector.class": SINK, "tasks.max": str(tasks), "topics": topic, "file": str(file), **more}


def running(group: Group, name: str, tasks: int) -> dict[int, str]:
    """Owners of the tasks, once all run and both workers say the same."""

    def check() -> dict[int, str]:
        found = [worker.owners(name) for worker in group.living]
        states = {worker.state(name) for worker in group.living}
        return found[0] if states == {"RUNNING"} and all(f == found[0] for f in found) else {}

    return until(lambda: len(owners := check()) == tasks and owners, 20, f"{name} runs {tasks} tasks")


def gone(worker: Worker, path: str) -> bool:
    try:
        worker.get(path)
    except RestFailure as failure:
        return failure.status == 404
    return False


def test_internal_topics(group: Group, kafka: KafkaServer):
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    topics = admin.list_topics(timeout=10).topics
    sizes = {kind: len(topics[f"{group.prefix}{kind}"].partitions) for kind in ("config", "offset", "status")}
    assert sizes == {"config": 1, "offset": 3, "status": 2}
    for kind in sizes:
        resource = ConfigResource(ResourceType.TOPIC, f"{group.prefix}{kind}")
        config = next(iter(admin.describe_configs([resource]).values())).result(10)
        assert config["cleanup.policy"].value == "compact"


def test_work_is_shared_and_every_worker_answers(group: Group, kafka: KafkaServer, topic: str):
    first, second = group.workers
    created = second.put_connector("shared", sink(group, topic))
    assert created["name"] == "shared"
    assert created["type"] == "sink"
    owners = running(group, "shared", 4)
    assert sorted(owners.values()) == sorted([first.id, second.id] * 2)
    assert first.get("/connectors/shared") == second.get("/connectors/shared")
    with pytest.raises(RestFailure) as taken:
        first.request("POST", "/connectors", {"name": "shared", "config": sink(group, topic)})
    with pytest.raises(RestFailure) as forwarded:
        second.request("POST", "/connectors", {"name": "shared", "config": sink(group, topic)})
    assert (taken.value.status, taken.value.message) == (forwarded.value.status, forwarded.value.message)
    assert taken.value.status == 409

    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for number in range(40):
        producer.produce(topic, f"line {number}", partition=number % 4)
    producer.flush(10)
    out = Path(sink(group, topic)["file"])
    lines = until(lambda: len(got := out.read_text().splitlines()) >= 40 and got, 20, "all lines arrive")
    assert sorted(lines) == sorted(f"line {n}" for n in range(40))
    assert until(lambda: first.get("/connectors/shared/topics")["shared"]["topics"], 5, "topics") == [topic]

    first.request("DELETE", "/connectors/shared")
    until(lambda: all(w.get("/connectors") == [] for w in group.workers), 10, "deleted everywhere")

    until(
        lambda: all(gone(w, "/connectors/shared/status") for w in group.workers),
        10,
        "its states are forgotten",
    )


def figures(worker: Worker) -> dict[str, str]:
    """Samples of /metrics, without labels."""
    pairs = [line.rpartition(" ") for line in worker.text("/metrics").splitlines()]
    return {name.partition("{")[0]: value for name, _, value in pairs}


def test_figures_of_rebalances(group: Group):
    for worker in group.workers:
        until(
            lambda w=worker: float(figures(w)["kafka_connect_worker_rebalance_rebalancing"]) == 0,
            10,
            "no round",
        )
        found = figures(worker)
        assert float(found["kafka_connect_worker_rebalance_epoch"]) >= 2
        assert float(found["kafka_connect_worker_rebalance_completed_rebalances_total"]) >= 1
        assert float(found["kafka_connect_coordinator_last_heartbeat_seconds_ago"]) < 3


def test_pause_stop_resume_and_offsets(group: Group, topic: str):
    first, second = group.workers
    source_file = group.folder / "lines.txt"
    source_file.write_text("".join(f"{n}\n" for n in range(10)))
    config = {"connector.class": SOURCE, "tasks.max": "1", "file": str(source_file), "topic": topic}
    first.put_connector("lines", config)
    running(group, "lines", 1)
    until(lambda: second.get("/connectors/lines/offsets")["offsets"], 10, "offsets are stored")

    second.request("PUT", "/connectors/lines/pause")
    until(lambda: {w.state("lines") for w in group.workers} == {"PAUSED"}, 10, "paused on both")
    second.request("PUT", "/connectors/lines/stop")
    until(lambda: {w.state("lines") for w in group.workers} == {"STOPPED"}, 10, "stopped on both")
    until(lambda: second.get("/connectors/lines/status")["tasks"] == [], 10, "no tasks")
    assert second.get("/connectors/lines/tasks") == []

    partition = {"filename": str(source_file)}
    answer = second.request(
        "PATCH",
        "/connectors/lines/offsets",
        {"offsets": [{"partition": partition, "offset": {"position": 4}}]},
    )
    assert "altered" in answer["message"]
    assert first.get("/connectors/lines/offsets") == {
        "offsets": [{"partition": partition, "offset": {"position": 4}}]
    }
    second.request("PUT", "/connectors/lines/resume")
    running(group, "lines", 1)
    assert "reset" not in second.get("/connectors/lines/status")
    with pytest.raises(RestFailure, match="must be in the STOPPED state"):
        second.request("DELETE", "/connectors/lines/offsets")
    second.request("DELETE", "/connectors/lines")


def test_records_of_the_config_topic(group: Group, kafka: KafkaServer, topic: str):
    """Byte for byte what Connect writes: create with a state, tasks, stop, delete."""
    first = group.workers[0]
    config = sink(group, topic, tasks=1)
    first.request("POST", "/connectors", {"name": "bytes", "config": config, "initial_state": "PAUSED"})
    first.request("PUT", "/connectors/bytes/resume")
    running(group, "bytes", 1)
    first.request("PUT", "/connectors/bytes/stop")
    first.request("DELETE", "/connectors/bytes")
    found = [(k, v) for k, v in records(kafka.bootstrap, f"{group.prefix}config") if "bytes" in k]
    stored = orjson.dumps({"properties": {**config, "name": "bytes"}})
    task = json.loads(next(v for k, v in found if k == "task-bytes-0") or b"")["properties"]
    assert found == [
        ("target-state-bytes", b'{"state":"PAUSED","state.v2":"PAUSED"}'),
        ("connector-bytes", stored),
        ("target-state-bytes", b'{"state":"STARTED","state.v2":"STARTED"}'),
        ("task-bytes-0", orjson.dumps({"properties": task})),
        ("commit-bytes", b'{"tasks":1}'),
        ("commit-bytes", b'{"tasks":0}'),
        ("target-state-bytes", b'{"state":"PAUSED","state.v2":"STOPPED"}'),
        ("connector-bytes", None),
        ("target-state-bytes", None),
    ]
    assert task["topics"] == topic


def test_restarts(group: Group, topic: str):
    first, second = group.workers
    first.put_connector("again", sink(group, topic))
    owners = running(group, "again", 4)
    for worker in group.workers:
        for task in owners:
            worker.request("POST", f"/connectors/again/tasks/{task}/restart")
        worker.request("POST", "/connectors/again/restart")
    assert running(group, "again", 4) == owners
    answer = second.request("POST", "/connectors/again/restart?includeTasks=true")
    assert {t["state"] for t in answer["tasks"]} == {"RESTARTING"}
    assert running(group, "again", 4) == owners
    with pytest.raises(RestFailure) as unknown:
        second.request("POST", "/connectors/again/tasks/9/restart")
    assert unknown.value.status == 404
    first.request("DELETE", "/connectors/again")


def test_tasks_follow_the_configuration(group: Group, topic: str):
    first, second = group.workers
    for tasks in (1, 3, 2):
        second.put_connector("sized", sink(group, topic, tasks))
        running(group, "sized", tasks)
    first.request("PATCH", "/connectors/sized/config", {"tasks.max": "4", "errors.tolerance": "all"})
    running(group, "sized", 4)
    # Only an option of the runtime changes: the tasks start anew all the same.
    generations = lambda: {  # noqa: E731
        line for line in first.log.read_text().splitlines() if "Joined round" in line
    }
    before = len(generations())
    second.request("PATCH", "/connectors/sized/config", {"errors.tolerance": "none"})
    running(group, "sized", 4)
    assert len(generations()) == before, "the same tasks need no round"
    first.request("DELETE", "/connectors/sized")


def test_requests_between_workers_are_signed(group: Group, kafka: KafkaServer):
    first = group.workers[0]
    with pytest.raises(RestFailure) as unsigned:
        first.request("POST", "/connectors/unknown/tasks", [])
    assert unsigned.value.status == 400
    wrong = {
        "X-Connect-Request-Signature-Algorithm": "HmacSHA256",
        "X-Connect-Authorization": base64.b64encode(b"wrong").decode(),
    }
    with pytest.raises(RestFailure) as refused:
        first.request("POST", "/connectors/unknown/tasks", [], wrong)
    assert refused.value.status == 403
    key = json.loads(dict(records(kafka.bootstrap, f"{group.prefix}config"))["session-key"] or b"")
    mac = hmac.new(base64.b64decode(key["key"]), b"[]", hashlib.sha256).digest()
    right = {**wrong, "X-Connect-Authorization": base64.b64encode(mac).decode()}
    with pytest.raises(RestFailure) as unknown:
        first.request("POST", "/connectors/unknown/tasks", [], right)
    assert unknown.value.status == 404
