"""A row that the target refuses: dead letter, cause removed, replayed; a row that changed meanwhile stays as it is."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from replicator.runtime.letter_box import LetterBox
from replicator.runtime.letters import LetterFilter
from replicator.service import Service
from tests.support.fix_servers import Database
from tests.unit.runtime.service_fixture import eventually

NAMES = "SELECT id, name FROM goods ORDER BY id"


def _source(database: Database) -> dict[str, str]:
    server, slot = database.server, f"dl{os.getpid()}"
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": server.host,
        "database.port": str(server.port),
        "database.user": server.user,
        "database.password": server.password,
        "database.dbname": database.name,
        "topic.prefix": "shop",
        "plugin.name": "pgoutput",
        "slot.name": slot,
        "slot.drop.on.stop": "true",
        "publication.name": slot,
        "publication.autocreate.mode": "filtered",
        "table.include.list": "public.goods",
    }


def _sink(database: Database) -> dict[str, str]:
    server = database.server
    return {
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "topics": "shop.public.goods",
        "connection.url": f"jdbc:mysql://{server.host}:{server.port}/{database.name}",
        "connection.username": server.user,
        "connection.password": server.password,
        "insert.mode": "upsert",
        "delete.enabled": "true",
        "primary.key.mode": "record_key",
        "schema.evolution": "none",
        "collection.name.format": "goods",
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": "dlq",
        "errors.deadletterqueue.context.headers.enable": "true",
    }


def test_a_refused_row_is_replayed(pg_database: Database, mysql_database: Database, tmp_path: Path) -> None:
    pg_database.execute("CREATE TABLE goods (id int PRIMARY KEY, name text)")
    mysql_database.execute("CREATE TABLE goods (id int PRIMARY KEY, name varchar(5))")
    service = Service({"data.dir": str(tmp_path), "listeners": "off", "offset.flush.interval.ms": "200"})
    service.start()
    try:
        service.herder.put_connector_config("src", _source(pg_database))
        service.herder.put_connector_config("snk", _sink(mysql_database))
        eventually(lambda: service.herder.progress("src")[0].facts.get("phase") == "streaming", 60)
        pg_database.execute(
            "INSERT INTO goods VALUES (1, 'one'), (2, 'too long'), (3, 'three'), (4, 'far too long')"
        )
        eventually(lambda: mysql_database.query(NAMES) == [(1, "one"), (3, "three")], 60)
        pg_database.execute("UPDATE goods SET name = 'short' WHERE id = 4")
        eventually(lambda: mysql_database.query(NAMES) == [(1, "one"), (3, "three"), (4, "short")], 60)
        box = LetterBox(service.broker)
        letters: list[Any] = list(box.letters("dlq", LetterFilter()))
        assert [x.context["stage"] for x in letters] == ["TASK_PUT"] * 2
        assert service.herder.task_status("snk", 0).state == "RUNNING"

        time.sleep(2.1)  # as often the sink looks at a table again before it refuses a row
        mysql_database.execute("ALTER TABLE goods MODIFY name varchar(100)")
        planned = box.replay("dlq", LetterFilter(), dry_run=True)
        assert (planned.replayed, len(planned.superseded)) == ({"shop.public.goods": 1}, 1)
        box.replay("dlq", LetterFilter())
        expected = [(1, "one"), (2, "too long"), (3, "three"), (4, "short")]
        eventually(lambda: mysql_database.query(NAMES) == expected, 60)
        pg_database.execute("UPDATE goods SET name = 'later' WHERE id = 2")
        expected[1] = (2, "later")
        eventually(lambda: mysql_database.query(NAMES) == expected, 60)
    finally:
        service.stop()
