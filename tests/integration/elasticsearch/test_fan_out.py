"""One topic of a database's changes into Elasticsearch, a SQL table and S3 at the same time."""

from __future__ import annotations

import json
import os

import pytest

from replicator.service import Service
from tests.support.fix_s3 import fresh_bucket, server
from tests.unit.runtime.service_fixture import eventually

UNWRAP = {
    "transforms": "unwrap",
    "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
    "transforms.unwrap.delete.tombstone.handling.mode": "tombstone",
}


@pytest.fixture
def bucket(tmp_path):
    with server("moto", tmp_path) as (url, child):
        yield fresh_bucket("moto", url, child)


def source(database):
    at, slot = database.server, f"fan{os.getpid()}"
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "database.hostname": at.host,
        "database.port": str(at.port), "database.user": at.user, "database.password": at.password,
        "database.dbname": database.name, "topic.prefix": "shop", "plugin.name": "pgoutput", "slot.name": slot,
        "slot.drop.on.stop": "true", "publication.name": slot, "publication.autocreate.mode": "filtered",
        "table.include.list": "public.orders",
    }  # fmt: skip


def sinks(search, database, bucket):
    topics, at = {"topics": "shop.public.orders"}, database.server
    return {
        "search": topics | UNWRAP | {
            "connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
            "connection.url": search.url, "behavior.on.null.values": "delete", "read.timeout.ms": "30000",
            "transforms": "unwrap,key", "transforms.key.field": "id",
            "transforms.key.type": "org.apache.kafka.connect.transforms.ExtractField$Key",
        },
        "table": topics | UNWRAP | {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "insert.mode": "upsert",
            "connection.url": f"jdbc:postgresql://{at.host}:{at.port}/{database.name}", "connection.user": at.user,
            "connection.password": at.password, "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true",
            "auto.create": "true", "table.name.format": "copied",
        },
        "lake": topics | bucket.options | {
            "flush.size": "4", "behavior.on.null.values": "ignore", "json.decimal.format": "NUMERIC",
        },
    }  # fmt: skip


@pytest.mark.parametrize("search", ["opensearch"], indirect=True)
def test_one_topic_to_three_targets(search, bucket, pg_database, tmp_path):
    pg_database.execute(
        "CREATE TABLE orders (id int PRIMARY KEY, item text, price numeric(10,2), day date)",
        "INSERT INTO orders VALUES (1, 'tea', 1.50, '2024-02-29'), (2, 'milk', 0.99, NULL)",
    )
    service = Service(
        {"data.dir": str(tmp_path / "data"), "listeners": "off", "offset.flush.interval.ms": "200"}
    )
    service.start()
    try:
        service.herder.put_connector_config("src", source(pg_database))
        for name, options in sinks(search, pg_database, bucket).items():
            service.herder.put_connector_config(name, options)
        eventually(lambda: service.herder.progress("src")[0].facts.get("phase") == "streaming", 30)
        pg_database.execute(
            "INSERT INTO orders VALUES (3, 'rum', 12345678.90, '1999-12-31')",
            "UPDATE orders SET price = 2 WHERE id = 1",
            "DELETE FROM orders WHERE id = 2",
        )
        expected = {"1": ("tea", 2.0), "3": ("rum", 12345678.9)}
        eventually(lambda: documents(search) == expected, 30)
        rows = [(1, "tea"), (3, "rum")]
        eventually(lambda: pg_database.query("SELECT id, item FROM copied ORDER BY id") == rows, 30)
        found = eventually(lambda: bucket.objects(), 30)
        assert list(found) == ["topics/shop.public.orders/partition=0/shop.public.orders+0+0000000000.json"]
        lines = [json.loads(line) for line in next(iter(found.values())).splitlines()]
        assert [(line["op"], line["after"]["id"], line["after"]["price"]) for line in lines] == [
            ("r", 1, 1.5), ("r", 2, 0.99), ("c", 3, 12345678.9), ("u", 1, 2.0),
        ]  # fmt: skip
        try:
            eventually(lambda: committed(service, "search") == [6], 10)
        except AssertionError:
            raise AssertionError(service.herder.connector_offsets("search")) from None
        assert service.herder.task_status("lake", 0).state == "RUNNING"
    finally:
        service.stop()


def documents(search):
    try:
        return {key: (row["item"], row["price"]) for key, row in search.sources("shop.public.orders").items()}
    except AssertionError:
        return {}


def committed(service, name):
    """The offsets that a sink committed."""
    return [entry["offset"]["kafka_offset"] for entry in service.herder.connector_offsets(name)]
