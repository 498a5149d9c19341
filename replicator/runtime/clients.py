"""Options of a task's clients of the broker, layered as Connect layers them; pure.

From low to high: the worker's `producer.` or `consumer.` options, then the connector's `producer.override.` or
`consumer.override.` options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replicator.api.config import split_prefix
from replicator.config.overrides import overrides
from replicator.config.worker import WorkerConfig

DEFAULT_MAX_POLL_RECORDS: Final = 500
STANDALONE_GROUP: Final = "connect-standalone"
_EOS_MARGIN_MS: Final = 60_000
_LONGEST_TRANSACTION_MS: Final = 900_000


def producer_options(worker: WorkerConfig, connector: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a connector's producers."""
    return split_prefix(worker.raw, "producer.") | overrides(worker.values, connector, "producer")


def consumer_options(worker: WorkerConfig, connector: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a sink's consumers; their sessions are as long as the worker's, as tasks move with it (C28)."""
    session = {
        name: worker.raw[name]
        for name in ("session.timeout.ms", "heartbeat.interval.ms")
        if name in worker.raw
    }
    given = split_prefix(worker.raw, "consumer.") | overrides(worker.values, connector, "consumer")
    return {"session.timeout.ms": "10000", "heartbeat.interval.ms": "3000"} | session | given


def max_poll_records(consumer: Mapping[str, Any]) -> int:
    """Most records of one `put`."""
    return int(consumer.get("max.poll.records", DEFAULT_MAX_POLL_RECORDS))


def transactional_id(worker: WorkerConfig, task: str) -> str:
    """The id under which a source task's producer is the only one of the cluster, named as in Connect."""
    return f"{worker['group.id'] or STANDALONE_GROUP}-{task}"


def transaction_options(producer: Mapping[str, Any], interval_ms: int) -> dict[str, Any]:
    """A transactional producer's options: its transactions may be open for the interval, and some time more."""
    wanted = min(_LONGEST_TRANSACTION_MS, max(_EOS_MARGIN_MS, interval_ms + _EOS_MARGIN_MS))
    return {"transaction.timeout.ms": str(wanted)} | dict(producer)
