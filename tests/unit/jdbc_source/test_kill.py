"""kill -9 while a table is being read: no row is lost; where every row has its own offset, none is repeated (INV-8)."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from replicator.api.record import TopicPartition
from replicator.broker.embedded import EmbeddedBroker
from replicator.testing.failpoints import environment

ROWS = 60

CHILD = f"""
import json, sys
from pathlib import Path
from replicator.api.record import TopicPartition
from replicator.broker.embedded import EmbeddedBroker
from tests.unit.runtime.service_fixture import eventually, running

folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
broker = EmbeddedBroker(folder / "log")
with running(broker, **{{"value.converter": "org.apache.kafka.connect.json.JsonConverter"}}) as service:
    service.herder.put_connector_config("src", options)

    def read_all():
        found = service.herder.progress("src")[0].facts.get("tables", {{}})
        ends = broker.admin().end_offsets([TopicPartition("p-t", 0)]) if "p-t" in broker.admin().topics() else {{}}
        return sum(ends.values()) >= {ROWS} and all(t["state"] == "waiting" for t in found.values())

    eventually(read_all, 15)
broker.close()
"""


def run(folder: Path, mode: str, failpoints: str) -> int:
    options = {
        "connector.class": "JdbcSourceConnector", "connection.url": f"jdbc:sqlite:{folder}/db", "mode": mode,
        "incrementing.column.name": "id", "timestamp.column.name": "ts", "batch.max.rows": "7", "topic.prefix": "p-",
        "poll.interval.ms": "10",
    }  # fmt: skip
    root = Path(__file__).resolve().parents[3]
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), json.dumps(options)],
        env=environment({**os.environ, "PYTHONPATH": str(root)}, failpoints),
        cwd=root,
        capture_output=True,
        check=False,
        timeout=40,
    )
    assert child.returncode in (0, -signal.SIGKILL), child.stderr.decode()[-3000:]
    return child.returncode


@pytest.mark.parametrize("mode", ["timestamp", "timestamp+incrementing"])
def test_killed_again_and_again(tmp_path: Path, mode: str) -> None:
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("CREATE TABLE t (id INTEGER NOT NULL, ts TIMESTAMP NOT NULL)")
        # Groups of equal moments that no batch ends with.
        rows = [(n, f"2024-01-01 00:00:{n // 5:02}") for n in range(ROWS)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    for point in (
        "before_append:kill@2",
        "after_append:kill@2",
        "after_append:kill@1",
        "before_append:kill@1",
    ):
        assert run(tmp_path, mode, point) == -signal.SIGKILL
    assert run(tmp_path, mode, "") == 0
    broker = EmbeddedBroker(tmp_path / "log")
    consumer = broker.consumer("test")
    consumer.assign([TopicPartition("p-t", 0)])
    found = [json.loads(message.value or b"")["payload"]["id"] for message in consumer.poll(1000, 0)]
    consumer.close()
    broker.close()
    if mode == "timestamp":
        assert list(dict.fromkeys(found)) == list(range(ROWS))
        # Only rows of the moment that a batch ended within come twice.
        assert len(found) <= ROWS + 2 * 4
    else:
        assert found == list(range(ROWS))
