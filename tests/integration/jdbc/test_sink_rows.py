"""Rows of real targets after envelopes went through the sink task: order, merging, keys, partial rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fix_servers import Database
from tests.support.jdbc_sink import Feed, running, sync_config

UNCHANGED = "__debezium_unavailable_value"


@pytest.fixture(params=["mysql", "mariadb"])
def target(request: pytest.FixtureRequest) -> Iterator[Database]:
    yield request.getfixturevalue(f"{request.param}_database")


def users(target: Database) -> list[tuple[object, ...]]:
    return target.query("SELECT id, name, email, age FROM users ORDER BY id")


def test_creates_updates_and_deletes(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, name="a"), feed.create(id=2, name="b"), feed.create(id=3, name="c")])
        task.put([feed.update(id=2, name="B", age=7), feed.delete(id=3)])
    assert users(target) == [(1, "a", None, None), (2, "B", None, 7)]
    assert target.query("SELECT next_offset, position_text FROM replicator_ledger") == [(5, "0/410")]
