"""Parts of a source task that delivers exactly once, and the store of its offsets; called on the task's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from replicator.api.errors import ConnectError, RetriableError
from replicator.broker.admin import Admin
from replicator.broker.base import Producer
from replicator.broker.message import NewMessage
from replicator.runtime.clients import producer_options, transaction_options, transactional_id
from replicator.runtime.commits import Commits
from replicator.runtime.transactions import (
    CONNECTOR,
    TransactionalCommit,
    TransactionLetters,
    TransactionRequests,
)
from replicator.storage.base import OffsetStore
from replicator.storage.layered_offsets import LayeredOffsetStore
from replicator.storage.offset_store import TopicOffsetStore

if TYPE_CHECKING:
    from replicator.runtime.assembly import TaskSpec, WorkerParts

log = logging.getLogger(__name__)

_SENT_SECONDS: Final = 10.0
ReadOffset = Callable[[str, Mapping[str, Any]], "dict[str, Any] | None"]


def enabled(parts: WorkerParts) -> bool:
    """Whether sources write in transactions; an atomic broker does so by itself."""
    wanted = str(parts.config["exactly.once.source.support"]).lower() == "enabled"
    return wanted and parts.config.kafka and not parts.config["offset.storage.file.filename"]


def promised(parts: WorkerParts) -> bool:
    """Whether sources of this worker deliver exactly once: the embedded log appends records and offsets as one (C8)."""
    return enabled(parts) or (not parts.config.kafka and not parts.config["offset.storage.file.filename"])


def letter_producer(commits: Commits, producer: Producer) -> Producer:
    """The producer of a source's dead letters: in the transaction of the records, if there are transactions (INV-6)."""
    return TransactionLetters(commits, producer) if isinstance(commits, TransactionalCommit) else producer


def own_topic(parts: WorkerParts, config: Mapping[str, Any]) -> str:
    """The topic of a source's offsets."""
    return str(config.get("offsets.storage.topic") or parts.config["offset.storage.topic"])


def offset_store(parts: WorkerParts, config: Mapping[str, Any]) -> tuple[OffsetStore, Callable[[], None]]:
    """The offsets of a source with this resolved configuration, started, and how to release them."""
    topic = own_topic(parts, config)
    if topic == parts.config["offset.storage.topic"] or not parts.config.kafka:
        return parts.offsets, lambda: None
    own = TopicOffsetStore(
        parts.broker,
        topic,
        partitions=parts.config["offset.storage.partitions"],
        replication_factor=parts.config["offset.storage.replication.factor"],
    )
    store = LayeredOffsetStore(own, parts.offsets)
    store.start()
    return store, store.stop


def source_producer(
    parts: WorkerParts, spec: TaskSpec, config: Mapping[str, Any], options: Mapping[str, Any]
) -> Producer:
    """The one producer of a source task; making it ends what a predecessor left open."""
    wanted = producer_options(parts.config, config)
    if spec.guard is not None:
        spec.guard.prepare()
    producer = parts.broker.producer(
        f"connector-producer-{spec.name}",
        transactional_id=transactional_id(parts.config, spec.name),
        superseded=spec.abandoned,
        options=transaction_options(wanted, _boundary_interval(parts, options)),
    )
    try:
        if spec.guard is not None:
            spec.guard.confirm()
    except BaseException:
        producer.close()
        raise
    return producer


def _boundary_interval(parts: WorkerParts, options: Mapping[str, Any]) -> int:
    return int(options["transaction.boundary.interval.ms"] or parts.config["offset.flush.interval.ms"])


def transactions(
    parts: WorkerParts,
    spec: TaskSpec,
    producer: Producer,
    offsets: OffsetStore,
    options: Mapping[str, Any],
    requests: TransactionRequests | None,
) -> Commits:
    """How the task commits; with `requests`, where it says."""
    return TransactionalCommit(
        spec.connector,
        producer,
        offsets,
        parts.clock,
        boundary=options["transaction.boundary"].lower(),
        interval=_boundary_interval(parts, options) / 1000.0,
        requests=requests,
    )


def reading(offsets: OffsetStore, producer: Producer, topic: str, admin: Admin) -> ReadOffset:
    """Reads stored offsets; a transaction of the task's own id that hangs in their topic is ended, once.

    A broker that was killed after it answered a commit or an abort may never write its mark: readers of committed data
    wait there for ever. The mark of a later transaction in the partition, of the same producer, ends both. An abort is
    safe whatever the lost one was: the source has not heard of its offsets (see transactions), so that it reads on from
    older ones, and what it sends again bears the same positions.
    """
    tried = False

    def read(connector: str, partition: Mapping[str, Any]) -> dict[str, Any] | None:
        nonlocal tried
        try:
            return offsets.read(connector, partition)
        except RetriableError as error:
            if tried:
                raise
            tried = True
            log.warning("%s If a transaction of %s hangs there, it is aborted.", error, connector)
        producer.begin_transaction()
        producer.append(
            [NewMessage(topic, b"", b"", number) for number in range(admin.topics()[topic].partitions)]
        )
        producer.sync(_SENT_SECONDS)  # an abort gives no mark to partitions that got nothing
        producer.abort_transaction()
        return offsets.read(connector, partition)

    return read


def refusing(offsets_topic: str, used: Callable[[str], None]) -> Callable[[str], None]:
    """Refuse records for the offsets topic itself: the transaction would wait for its own end."""

    def check(topic: str) -> None:
        if topic == offsets_topic:
            raise ConnectError(f"A source may not write to {topic}, the topic of its own offsets.")
        used(topic)

    return check


def requested_boundaries(options: Mapping[str, Any]) -> TransactionRequests | None:
    """Where the task's own boundaries go, if it defines them."""
    return TransactionRequests() if options["transaction.boundary"].lower() == CONNECTOR else None
