"""`replicator standalone` with `bootstrap.servers`: the same connectors, topics in Kafka, offsets in a local file."""

from __future__ import annotations

import json

from replicator.broker.kafka import KafkaBroker
from scripts.service import until
from tests.support.kafka_pipeline import Standalone, messages


def _orders(standalone: Standalone, rows: int = 200) -> None:
    standalone.source.execute(
        "CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric(10,2))",
        f"INSERT INTO orders SELECT n, 'n' || n, n FROM generate_series(1, {rows}) n",
    )


def test_postgres_to_kafka_to_mysql(standalone: Standalone) -> None:
    _orders(standalone)
    standalone.start()
    until(lambda: standalone.has_rows("orders", 200), 40)
    standalone.source.execute(
        "DELETE FROM orders WHERE id > 190", "UPDATE orders SET note = 'changed' WHERE id = 1"
    )
    until(lambda: standalone.has_rows("orders", 190), 15)
    standalone.stop()
    assert standalone.target.query("SELECT note FROM orders WHERE id = 1") == [("changed",)]
    found = messages(standalone.kafka, f"{standalone.prefix}shop.public.orders")
    envelope = json.loads(found[0].value or b"")
    assert envelope["payload"]["op"] == "r"
    assert envelope["schema"]["name"] == f"{standalone.prefix}shop.public.orders.Envelope"
    assert json.loads((standalone.folder / "offsets").read_text())["offsets"]
    with KafkaBroker({"bootstrap.servers": standalone.kafka.bootstrap}) as broker:
        committed = broker.admin().group_offsets(f"connect-{standalone.prefix}sink")
    # 200 rows, 1 update, 10 deletes with their tombstones
    assert [at.offset for at in committed.values()] == [221]


def test_goes_on_where_it_stopped_and_where_it_was_killed(standalone: Standalone) -> None:
    _orders(standalone)
    standalone.start()
    until(lambda: standalone.has_rows("orders", 200), 40)
    standalone.stop()
    standalone.source.execute("INSERT INTO orders SELECT n, 'later', n FROM generate_series(201, 300) n")
    standalone.start()
    until(lambda: standalone.has_rows("orders", 300), 40)
    standalone.source.execute("INSERT INTO orders SELECT n, 'last', n FROM generate_series(301, 5300) n")
    standalone.kill()
    standalone.start()
    until(lambda: standalone.has_rows("orders", 5300), 40)
    standalone.stop()
    snapshot = [
        m
        for m in messages(standalone.kafka, f"{standalone.prefix}shop.public.orders")
        if b'"op":"r"' in (m.value or b"")
    ]
    assert len(snapshot) == 200


def test_several_sink_tasks_share_the_partitions(standalone: Standalone) -> None:
    _orders(standalone, 2000)
    standalone.source_options |= {
        "topic.creation.default.partitions": 4,
        "topic.creation.default.replication.factor": -1,
        "skipped.operations": "none",
    }
    standalone.sink_options["tasks.max"] = 2
    standalone.start()
    until(lambda: standalone.has_rows("orders", 2000), 40)
    standalone.source.execute("UPDATE orders SET note = 'a'", "UPDATE orders SET note = 'b'")
    until(lambda: standalone.rows("SELECT count(*) FROM orders WHERE note = 'b'") == [(2000,)], 20)
    standalone.source.execute("TRUNCATE orders")
    until(lambda: "4 partitions: a truncate cannot be kept in order" in standalone.output, 20)
    assert standalone.rows("SELECT count(*) FROM orders") == [(2000,)]
    standalone.stop()
    ledger = standalone.target.query("SELECT * FROM replicator_ledger")
    assert len(ledger) == 4
