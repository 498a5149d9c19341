"""A sink task as a process of its own, to be killed at failpoints: applies a fixed history of a table without key.

`python -m tests.support.jdbc_crash <url> [ahead]` goes on where the ledger stands and ends with 0 when all is applied;
with `ahead` the statements of each batch run while the next one is prepared.
"""

from __future__ import annotations

import sys

from connectors.jdbc import task as task_module
from replicator.api import SinkRecord, TopicPartition
from replicator.api.schema import OPTIONAL_INT64, OPTIONAL_STRING
from tests.support.jdbc_sink import FakeContext, Feed, running, sync_config

TOPIC = "shop.public.log"


def history() -> list[SinkRecord]:
    """Inserts of equal rows, changes, removals and a truncate: none of it may happen twice, or not at all."""
    feed = Feed(TOPIC, [("word", OPTIONAL_STRING), ("n", OPTIONAL_INT64)], keys=())
    records = [feed.create(word="before", n=i) for i in range(20)]
    records.append(feed.truncate())
    for i in range(60):
        records += [feed.create(word="same", n=1, end=False), feed.create(word="same", n=1)]
        if i % 3 == 0:
            records.append(feed.envelope("u", feed.row(word="same", n=1), feed.row(word="changed", n=i)))
        if i % 4 == 0:
            records.append(feed.envelope("d", feed.row(word="same", n=1), None))
    return records


EXPECTED = {"same": 120 - 20 - 15, "changed": 20}


def main(url: str, *modes: str) -> None:
    records, context = history(), FakeContext()
    if "ahead" in modes:
        task_module.WORTH_GOING_AHEAD = 1
    with running(sync_config(url), [TOPIC], context=context) as task:
        start = context.seeks.get(TopicPartition(TOPIC, 0), 0)
        for at in range(start, len(records), 7):
            task.put(records[at : at + 7])


if __name__ == "__main__":
    main(*sys.argv[1:])
