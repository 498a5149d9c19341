"""Operating a group of workers on Kafka from the command line: apply, metrics, dead letters."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from click.testing import CliRunner
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from replicator.cli.main import cli
from replicator.metrics import names
from tests.support.fix_servers import KafkaServer
from tests.support.worker_group import Group, Worker, until


def run(*arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(cli, arguments)
    assert found.exit_code == code, found.output
    return found.output


def metrics(worker: Worker) -> dict[str, float]:
    """Samples by name and labels, and that all are documented."""
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            assert line.split()[2] in names.ALL
        elif not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def total(group: Group, name: str) -> float:
    return sum(v for w in group.living for k, v in metrics(w).items() if k.partition("{")[0] == name)


def test_from_apply_to_purge(group: Group, kafka: KafkaServer, tmp_path: Path) -> None:
    topic, queue = f"{group.prefix}operated", f"{group.prefix}operated-dlq"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for made in admin.create_topics([NewTopic(topic, 2, 1)]).values():
        made.result(10)
    file, out = tmp_path / "operated.json", tmp_path / "out.txt"
    config = {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": "2",
        "topics": topic,
        "file": str(out),
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": queue,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
    }
    file.write_text(json.dumps({"name": "operated", "config": config}))
    url = ",".join(f"http://127.0.0.1:{w.port}" for w in group.living)
    assert "operated is RUNNING." in run("connectors", "--url", url, "apply", str(file))
    assert "operated: unchanged" in run("connectors", "--url", url, "apply", str(file))
    assert "tasks: 2 RUNNING" in run("connectors", "--url", url, "list")

    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for number in range(20):
        value = json.dumps(f"line {number}") if number % 2 else f"bad {number}"
        producer.produce(topic, value, key=f"k{number % 4}", partition=number % 2)
    producer.flush(10)
    until(lambda: out.exists() and len(out.read_text().splitlines()) == 10, 20, "good lines arrive")
    until(
        lambda: total(group, "kafka_connect_task_error_deadletterqueue_produce_requests") == 10, 20, "letters"
    )
    assert total(group, "kafka_connect_worker_task_count") == 2
    assert total(group, "kafka_connect_worker_connector_total_task_count") == 2
    assert total(group, "kafka_connect_sink_task_partition_count") == 2
    assert total(group, "kafka_connect_task_error_total_records_skipped") == 10
    for worker in group.living:
        seen = metrics(worker)
        assert seen["kafka_connect_worker_rebalance_completed_rebalances_total"] >= 1
        assert seen["kafka_connect_worker_rebalance_rebalancing"] == 0
        assert any(k.startswith("kafka_connect_worker_rebalance_info{") for k in seen)

    assert f"{queue}: 10 letters" in run("dlq", "--url", url, "list")
    shown = run("dlq", "--url", url, "show", queue)
    assert "exception.class.name: org.apache.kafka.connect.errors.DataException" in shown
    assert f"from {topic}/0/0" in shown
    worker_file = tmp_path / "worker.properties"
    worker_file.write_text("".join(f"{name}={value}\n" for name, value in group.options.items()))
    planned = json.loads(
        run("dlq", "--worker", str(worker_file), "replay", queue, "--key", "k0", "--dry-run", "--json")
    )
    assert planned["replayed"] == {topic: 5}
    done = run("dlq", "--worker", str(worker_file), "replay", queue, "--key", "k0", "--yes")
    assert f"{topic}: 5 letters replayed" in done
    # They are as bad as before: five new letters, in the same order.
    until(lambda: f"{queue}: 10 letters, 5 handled" in run("dlq", "--url", url, "list"), 20, "letters again")
    again = json.loads(run("dlq", "--url", url, "list", queue, "--json", "--key", "k0"))
    assert [letter["value"]["text"] for letter in again] == [f"bad {n}" for n in (0, 4, 8, 12, 16)]
    assert all(letter["offset"] >= 10 for letter in again)
    assert "10 letters purged" in run("dlq", "--url", url, "purge", queue, "--yes")
    assert run("dlq", "--url", url, "list", queue) == "No letters.\n"
    run("connectors", "--url", url, "delete", "operated", "--yes")
