"""Puts the parts of one run of a task together; called on the task's thread.

Options are resolved here, at the last moment, and live as long as the run (INV-9).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from replicator.api.sink import SinkTask
from replicator.api.source import SourceTask
from replicator.broker.base import Broker, Producer
from replicator.config.connector import (
    DLQ_HEADERS,
    DLQ_REPLICATION,
    DLQ_TOPIC,
    QUEUE_DEF,
    SINK_DEF,
    SOURCE_DEF,
    topic_pattern,
)
from replicator.config.providers import Resolver
from replicator.config.worker import WorkerConfig
from replicator.plugins import factory
from replicator.plugins.registry import Registry
from replicator.runtime import exactly_once
from replicator.runtime.chain import Chain
from replicator.runtime.clients import (
    consumer_options,
    max_poll_records,
    producer_options,
)
from replicator.runtime.clock import Clock
from replicator.runtime.commits import AtomicCommit, Commits, PeriodicCommit
from replicator.runtime.contexts import SinkContext, SourceContext, StoredOffsets, TaskFacts
from replicator.runtime.dead_letters import DeadLetterQueue, LogReporter, SourceEncoder
from replicator.runtime.errant import RecordReporter
from replicator.runtime.sink_records import RecordReader
from replicator.runtime.sink_task import SinkWork
from replicator.runtime.source_records import RecordWriter
from replicator.runtime.source_task import SourceWork
from replicator.runtime.stats import TaskStats
from replicator.runtime.tolerance import ErrorHandler, ErrorPolicy, Reporter
from replicator.runtime.topics import TopicCreator, rules
from replicator.storage.base import OffsetStore


@dataclass(slots=True)
class WorkerParts:
    """What all tasks of a worker share."""

    config: WorkerConfig
    registry: Registry
    broker: Broker
    offsets: OffsetStore
    resolver: Resolver
    clock: Clock
    converters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.converters = {**self.config.values, **self.config.raw}


class TaskGuard(Protocol):
    """What a worker of a group does around the start of an exactly-once source task (KIP-618); on its thread."""

    def prepare(self) -> None:
        """Before the task's producer is made: former tasks must not be able to write any more."""
        ...

    def confirm(self) -> None:
        """After it was made: the task must still be configured like this, and belong to this worker."""
        ...


@dataclass(slots=True, kw_only=True)
class TaskSpec:
    """One task to run; `config` and `task_config` are unresolved.

    Attributes:
        connector: name of the connector.
        task: index of the task.
        task_class: class of the task.
        config: the connector's configuration.
        task_config: the task's own configuration.
        used: told of each topic used for the first time.
        stopping: set to end the task.
        stats: kept over restarts.
        facts: what the present run published.
        guard: of an exactly-once source in a group of workers.
    """

    connector: str
    task: int
    task_class: type[Any]
    config: Mapping[str, str]
    task_config: Mapping[str, str]
    used: Callable[[str], None]
    stats: TaskStats
    stopping: threading.Event = field(default_factory=threading.Event)
    facts: TaskFacts = field(default_factory=TaskFacts)
    guard: TaskGuard | None = None

    @property
    def name(self) -> str:
        """`connector-task`."""
        return f"{self.connector}-{self.task}"


def source_work(parts: WorkerParts, spec: TaskSpec) -> SourceWork:
    """A run of a source task."""
    resolved = parts.resolver.resolve(spec.config)
    options = SOURCE_DEF.parse(resolved)
    counts = spec.stats.fresh_errors()
    reporters = _log_reporters(spec, options)
    errors = ErrorHandler(ErrorPolicy.of(options), reporters, parts.clock, spec.stopping, counts)
    chain, key, value, header = _pipeline(parts, resolved)
    once = exactly_once.enabled(parts)
    # Before the offsets are read: this ends what a predecessor left open.
    producer = (
        exactly_once.source_producer(parts, spec, resolved, options)
        if once
        else parts.broker.producer(
            f"connector-producer-{spec.name}", options=producer_options(parts.config, resolved)
        )
    )
    offsets, release_offsets = exactly_once.offset_store(parts, resolved)
    requests = exactly_once.requested_boundaries(options) if once else None
    reader = StoredOffsets(spec.connector, offsets.read)
    task_config = parts.resolver.resolve(spec.task_config)
    context = SourceContext(
        spec.connector,
        spec.task,
        spec.stopping,
        lambda: parts.resolver.resolve(spec.task_config),
        reader,
        requests,
    )
    spec.facts = context
    task: SourceTask = spec.task_class()

    def release() -> None:
        producer.close()
        release_offsets()
        _close(chain, key, value, header)

    commits = (
        exactly_once.transactions(parts, spec, producer, offsets, options, requests)
        if once
        else _commits(parts, spec, producer, offsets)
    )
    writer = RecordWriter(chain, key, value, header, errors)
    # Letters go through the producer of the records: whatever makes offsets wait for those makes them wait for
    # letters, too (INV-6).
    letters = exactly_once.letter_producer(commits, producer)
    queue = _dead_letters(parts, spec, QUEUE_DEF.parse(resolved), lambda: letters, writer.letters())
    if queue is not None:
        reporters.append(queue)
    creator = TopicCreator(
        parts.broker.admin(),
        rules(resolved),
        enabled=parts.config["topic.creation.enable"],
        used=exactly_once.refusing(exactly_once.own_topic(parts, resolved), spec.used) if once else spec.used,
    )
    return SourceWork(
        task=task,
        config=task_config,
        context=context,
        writer=writer,
        errors=errors,
        topics=creator,
        commits=commits,
        stats=spec.stats,
        clock=parts.clock,
        release=release,
        flush_timeout=parts.config.seconds("offset.flush.timeout.ms"),
    )


def sink_work(parts: WorkerParts, spec: TaskSpec) -> SinkWork:
    """A run of a sink task."""
    resolved = parts.resolver.resolve(spec.config)
    options = SINK_DEF.parse(resolved)
    counts = spec.stats.fresh_errors()
    reporters = _log_reporters(spec, options)
    queue = _dead_letters(parts, spec, options, lambda: _letter_producer(parts, spec, resolved))
    if queue is not None:
        reporters.append(queue)
    errors = ErrorHandler(ErrorPolicy.of(options), reporters, parts.clock, spec.stopping, counts)
    chain, key, value, header = _pipeline(parts, resolved)
    reader = RecordReader(chain, key, value, header, errors)
    reporter = RecordReporter(errors, reader.original, lambda: spec.task_class, queue) if reporters else None
    client = consumer_options(parts.config, resolved)
    consumer = parts.broker.consumer(
        f"connector-consumer-{spec.name}",
        sink_group(spec.connector, resolved),
        start=str(client.get("auto.offset.reset", "earliest")),
        instance_id=spec.name,
        options=client,
    )
    context = SinkContext(
        spec.connector,
        spec.task,
        spec.stopping,
        lambda: parts.resolver.resolve(spec.task_config),
        consumer,
        parts.broker.admin(),
        reporter,
    )
    spec.facts = context

    def release() -> None:
        if queue is not None:
            queue.close()
        _close(chain, key, value, header)

    regex = options["topics.regex"]
    return SinkWork(
        task=spec.task_class(),
        config=parts.resolver.resolve(spec.task_config),
        context=context,
        consumer=consumer,
        topics=topic_pattern(regex) if regex else [t for t in options["topics"] if t],
        reader=reader,
        reporter=reporter,
        stats=spec.stats,
        clock=parts.clock,
        max_poll_records=max_poll_records(client),
        commit_interval=parts.config.seconds("offset.flush.interval.ms"),
        used=spec.used,
        release=release,
    )


def make_work(parts: WorkerParts, spec: TaskSpec) -> SourceWork | SinkWork:
    """A run of the task, by its class."""
    return sink_work(parts, spec) if issubclass(spec.task_class, SinkTask) else source_work(parts, spec)


def sink_group(connector: str, config: Mapping[str, Any]) -> str:
    """Consumer group of a sink connector."""
    return str(config.get("consumer.override.group.id") or f"connect-{connector}")


def _commits(parts: WorkerParts, spec: TaskSpec, producer: Producer, offsets: OffsetStore) -> Commits:
    config = parts.config
    timeout = config.seconds("offset.flush.timeout.ms")
    if producer.atomic and not config["offset.storage.file.filename"]:
        interval = config.seconds("durability.interval.ms")
        return AtomicCommit(spec.name, spec.connector, producer, offsets, interval, timeout)
    interval = config.seconds("offset.flush.interval.ms")
    return PeriodicCommit(spec.name, spec.connector, producer, offsets, interval, timeout)


def _pipeline(parts: WorkerParts, config: Mapping[str, Any]) -> tuple[Chain, Any, Any, Any]:
    chain = Chain(factory.steps(parts.registry, config))
    key = factory.converter(parts.registry, config, parts.converters, is_key=True)
    value = factory.converter(parts.registry, config, parts.converters, is_key=False)
    header = factory.header_converter(parts.registry, config, parts.converters)
    return chain, key, value, header


def _close(*closable: Any) -> None:
    for part in closable:
        part.close()


def _log_reporters(spec: TaskSpec, options: Mapping[str, Any]) -> list[Reporter]:
    if not options["errors.log.enable"]:
        return []
    include = options["errors.log.include.messages"]
    return [LogReporter(spec.connector, spec.task, include_messages=include, counts=spec.stats.errors)]


def _letter_producer(parts: WorkerParts, spec: TaskSpec, config: Mapping[str, Any]) -> Producer:
    options = producer_options(parts.config, config)
    return parts.broker.producer(f"connector-dlq-producer-{spec.name}", options=options)


def _dead_letters(
    parts: WorkerParts,
    spec: TaskSpec,
    options: Mapping[str, Any],
    producer: Callable[[], Producer],
    encoder: SourceEncoder | None = None,
) -> DeadLetterQueue | None:
    if not options[DLQ_TOPIC]:
        return None
    return DeadLetterQueue(
        options[DLQ_TOPIC],
        spec.connector,
        spec.task,
        producer(),
        parts.broker.admin(),
        replication=options[DLQ_REPLICATION],
        headers=options[DLQ_HEADERS],
        counts=spec.stats.errors,
        encoder=encoder,
    )
