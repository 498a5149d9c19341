"""SIGKILL at any point of the loops: records and source offsets stay one (C8), group offsets never run ahead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from replicator.api.record import TopicPartition
from replicator.broker.embedded import EmbeddedBroker
from replicator.storage.offset_store import TopicOffsetStore
from replicator.testing.failpoints import environment

BATCH = 3
BATCHES = 8

CHILD = f"""
import sys, threading
from pathlib import Path
from replicator.broker.embedded import EmbeddedBroker
from replicator.testing.fakes import record
from tests.unit.runtime.service_fixture import running, script, sink, source

folder = Path(sys.argv[1])
reader, writer = script("src"), script("snk")

def on_start(task):
    stored = task.context.offsets.offset({{"p": "1"}})
    first = stored["n"] + 1 if stored else 0
    for start in range(first, {BATCH * BATCHES}, {BATCH}):
        reader.add([record(str(n), n) for n in range(start, start + {BATCH})])

def on_put(task, records):
    with open(folder / "target", "a") as target:
        target.writelines(r.value + "\\n" for r in records)

reader.on_start, writer.on_put = on_start, on_put
broker = EmbeddedBroker(folder / "log")
with running(broker) as service:
    service.herder.put_connector_config("snk", sink(**{{"consumer.override.max.poll.records": "2"}}))
    service.herder.put_connector_config("src", source())
    writer.wait(lambda: writer.values() and writer.values()[-1] == "{BATCH * BATCHES - 1}")
broker.close()
"""


def run(folder: Path, failpoints: str) -> int:
    root = Path(__file__).resolve().parents[3]
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder)],
        env=environment({**os.environ, "PYTHONPATH": str(root)}, failpoints),
        cwd=root,
        capture_output=True,
        check=False,
        timeout=20,
    )
    return child.returncode


@pytest.mark.parametrize(
    "failpoints",
    ["before_append:kill@1", "before_append:kill@4", "after_append:kill@1", "after_append:kill@4",
     "before_put:kill@5", "after_put:kill@5", "before_group_commit:kill@1"],
)  # fmt: skip
def test_kill(tmp_path: Path, failpoints: str) -> None:
    assert run(tmp_path, failpoints) == -signal.SIGKILL
    broker = EmbeddedBroker(tmp_path / "log")
    offsets = TopicOffsetStore(broker, "connect-offsets")
    offsets.start()
    topics = broker.admin().topics()
    end = broker.admin().end_offsets([TopicPartition("t", 0)])[TopicPartition("t", 0)] if "t" in topics else 0
    stored = offsets.read("src", {"p": "1"})
    group = broker.admin().group_offsets("connect-snk").get(TopicPartition("t", 0))
    offsets.stop()
    broker.close()
    assert end == (stored["n"] + 1 if stored else 0)
    path = tmp_path / "target"
    written = path.read_text().split() if path.exists() else []
    assert (group.offset if group else 0) <= len(written)

    assert run(tmp_path, "") == 0
    broker = EmbeddedBroker(tmp_path / "log")
    consumer = broker.consumer("test")
    consumer.assign([TopicPartition("t", 0)])
    values = [int(m.value or b"") for m in consumer.poll(1000, 0)]
    consumer.close()
    broker.close()
    # The log has every record once; a sink without a ledger repeats, but misses nothing and keeps the order.
    assert values == list(range(BATCH * BATCHES))
    delivered = [int(line) for line in path.read_text().split()]
    assert list(dict.fromkeys(delivered)) == values
