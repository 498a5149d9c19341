"""The log's file: kept over restarts and kills, owned by one process, and clear about what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from replicator.api import BrokerError, OffsetAndMetadata, TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker, schema
from replicator.broker.message import NewMessage
from tests.unit.broker.reading import everything

TP = TopicPartition("t", 0)


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        broker.admin().create_topics([NewTopic("t", 1, config={"cleanup.policy": "compact"})])
        broker.producer("p").append([NewMessage("t", b"k", b"v", headers=[("h", b"x")])])
        broker.admin().alter_group_offsets("g", {TP: OffsetAndMetadata(1, "m")})
        identity = broker.cluster_id()
    with EmbeddedBroker(tmp_path) as broker:
        [message] = everything(broker)
        assert (message.key, message.value, message.headers) == (b"k", b"v", [("h", b"x")])
        assert broker.admin().topics()["t"].config == {"cleanup.policy": "compact"}
        assert broker.admin().group_offsets("g") == {TP: OffsetAndMetadata(1, "m")}
        assert broker.cluster_id() == broker.admin().log_identity("t") == identity


def test_another_log_has_another_identity(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "a") as a, EmbeddedBroker(tmp_path / "b") as b:
        assert a.cluster_id() != b.cluster_id()


def test_the_epoch_grows_with_a_reboot_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    epochs = []
    for boot in ("one", "one", "two", "two"):
        file = tmp_path / "boot_id"
        file.write_text(boot)
        monkeypatch.setattr(schema, "_BOOT_ID", file)
        with EmbeddedBroker(tmp_path / "log") as broker:
            epochs.append(broker.admin().epoch())
    assert epochs == [1, 1, 2, 2]


def test_opening_needs_no_alembic_and_little_time(tmp_path: Path) -> None:
    code = (
        "import sys, time; from replicator.broker.embedded import EmbeddedBroker; t = time.perf_counter();"
        f"EmbeddedBroker({str(tmp_path)!r}).close(); print(time.perf_counter() - t, 'alembic' in sys.modules)"
    )
    seconds, alembic = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert alembic == "False"
    assert float(seconds) < 0.5


def test_alembic_sees_the_revision_the_service_made(tmp_path: Path) -> None:
    EmbeddedBroker(tmp_path).close()
    ini = Path(__file__).parents[3] / "migrations" / "embedded" / "alembic.ini"
    command = [
        sys.executable,
        "-m",
        "alembic",
        "-c",
        str(ini),
        "-x",
        f"path={tmp_path / 'log.db'}",
        "current",
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "0001_topic_log (head)" in shown.stdout


def test_alembic_makes_the_same_tables(tmp_path: Path) -> None:
    import sqlite3

    EmbeddedBroker(tmp_path / "own").close()
    ini = Path(__file__).parents[3] / "migrations" / "embedded" / "alembic.ini"
    command = [
        sys.executable,
        "-m",
        "alembic",
        "-c",
        str(ini),
        "-x",
        f"path={tmp_path / 'log.db'}",
        "upgrade",
        "head",
    ]
    subprocess.run(command, capture_output=True, text=True, check=True)

    def tables(path: Path) -> list[tuple[str, ...]]:
        with sqlite3.connect(path) as connection:
            return connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' ORDER BY name"
            ).fetchall()

    made = [row for row in tables(tmp_path / "log.db") if "alembic" not in row[0]]
    assert [name for name, _ in made] == [
        name for name, _ in tables(tmp_path / "own" / "log.db") if "alembic" not in name
    ]


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path), pytest.raises(BrokerError, match=f"pid {os.getpid()}"):
        EmbeddedBroker(tmp_path)
    EmbeddedBroker(tmp_path).close()


def test_others_may_look(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as owner:
        producer = owner.producer("p")
        producer.append([NewMessage("t", None, b"1")])
        with EmbeddedBroker(tmp_path, read_only=True) as guest:
            assert [m.value for m in everything(guest)] == [b"1"]
            producer.append([NewMessage("t", None, b"2"), NewMessage("new", None, b"3")])
            owner.admin().alter_group_offsets("g", {TP: OffsetAndMetadata(2)})
            assert set(guest.admin().topics()) == {"t", "new"}
            assert guest.admin().end_offsets([TP]) == {TP: 2}
            assert guest.admin().group_offsets("g") == {TP: OffsetAndMetadata(2)}
            consumer = guest.consumer("c")
            consumer.assign([TP])
            assert [m.value for m in consumer.poll(10, 0)] == [b"1", b"2"]
            producer.append([NewMessage("t", None, b"4")])
            assert [m.value for m in consumer.poll(10, 2)] == [b"4"]
            consumer.close()
            with pytest.raises(BrokerError, match="reading only"):
                guest.admin().create_topics([NewTopic("x")])


def test_others_may_look_when_nobody_runs(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as owner:
        owner.producer("p").append([NewMessage("t", None, b"1")])
    with EmbeddedBroker(tmp_path, read_only=True) as guest:
        assert [m.value for m in everything(guest)] == [b"1"]


def test_looking_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="no topic log"):
        EmbeddedBroker(tmp_path, read_only=True)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(BrokerError, match="damaged or not a topic log"):
        EmbeddedBroker(tmp_path)


def test_a_log_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    import sqlite3

    EmbeddedBroker(tmp_path).close()
    with sqlite3.connect(tmp_path / "log.db") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(BrokerError, match="newer release"):
        EmbeddedBroker(tmp_path)


def test_pending_transactions_of_a_dead_process_are_dropped(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, maintenance=False)
    producer = broker.producer("p", transactional_id="x")
    producer.begin_transaction()
    producer.append([NewMessage("t", None, b"lost")])
    broker.close()  # without commit, as a killed process would leave it
    with EmbeddedBroker(tmp_path) as again:
        assert everything(again) == []
        assert again.log.writer.execute("SELECT count(*) FROM pending").fetchone()[0] == 0


WRITER = """
import sys
from replicator.broker.base import NewMessage
from replicator.broker.embedded import EmbeddedBroker
producer = EmbeddedBroker(sys.argv[1]).producer("p")
n = 0
while True:
    producer.append([NewMessage("ab"[i % 2], None, b"%d" % (n + i)) for i in range(20)]
                    + [NewMessage("offsets", b"k", b"%d" % (n + 20))])
    n += 20
    print(n, flush=True)
"""


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.17])
def test_kill_leaves_whole_appends_only(tmp_path: Path, wait: float) -> None:
    """INV-8: every acknowledged append is there, and none in part."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(wait)
    os.kill(process.pid, signal.SIGKILL)
    acknowledged = [int(line) for line in process.stdout.read().split("\n") if line]
    process.wait()
    with EmbeddedBroker(tmp_path) as broker:
        data = [int(m.value or b"") for m in everything(broker, "a", "b")]
        offsets = [int(m.value or b"") for m in everything(broker, "offsets")]
    assert data == list(range(len(data)))
    assert len(data) == offsets[-1]
    assert offsets[-1] >= max([20, *acknowledged])
