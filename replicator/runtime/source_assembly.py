"""Puts the parts of one run of a source task together; called on the task's thread.

Options are resolved here, at the last moment, and live as long as the run (INV-9). What was made is released again
when something cannot be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from replicator.api.source import SourceTask
from replicator.broker.base import Producer
from replicator.config.connector import QUEUE_DEF, SOURCE_DEF
from replicator.runtime import exactly_once
from replicator.runtime.assembly import TaskSpec, WorkerParts, dead_letters, error_handling, pipeline
from replicator.runtime.clients import producer_options
from replicator.runtime.commits import AtomicCommit, Commits, PeriodicCommit
from replicator.runtime.contexts import SourceContext, StoredOffsets
from replicator.runtime.source_records import RecordWriter
from replicator.runtime.source_task import SourceWork
from replicator.runtime.topics import TopicCreator, rules
from replicator.storage.base import OffsetStore


def source_work(parts: WorkerParts, spec: TaskSpec) -> SourceWork:
    """A run of a source task."""
    with ExitStack() as undo:
        return _make(parts, spec, undo)


def _make(parts: WorkerParts, spec: TaskSpec, undo: ExitStack) -> SourceWork:
    resolved = parts.resolver.resolve(spec.config)
    options = SOURCE_DEF.parse(resolved)
    errors, reporters = error_handling(parts, spec, options)
    chain, key, value, header = pipeline(parts, resolved, undo)
    once = exactly_once.enabled(parts)
    # Before the offsets are read: this ends what a predecessor left open.
    producer = _producer(parts, spec, resolved, options, once=once)
    undo.callback(producer.close)
    offsets, release_offsets = exactly_once.offset_store(parts, resolved)
    undo.callback(release_offsets)
    own_topic = exactly_once.own_topic(parts, resolved)
    read = exactly_once.reading(offsets, producer, own_topic, parts.broker.admin()) if once else offsets.read
    requests = exactly_once.requested_boundaries(options) if once else None
    context = SourceContext(
        spec.connector,
        spec.task,
        spec.stopping,
        lambda: parts.resolver.resolve(spec.task_config),
        StoredOffsets(spec.connector, read),
        requests,
    )
    spec.facts = context
    commits = (
        exactly_once.transactions(parts, spec, producer, offsets, options, requests)
        if once
        else _commits(parts, spec, producer, offsets)
    )
    writer = RecordWriter(chain, key, value, header, errors)
    # Letters go through the producer of the records: whatever makes offsets wait for those makes them wait for
    # letters, too (INV-6).
    letters = exactly_once.letter_producer(commits, producer)
    queue = dead_letters(parts, spec, QUEUE_DEF.parse(resolved), lambda: letters, writer.letters())
    if queue is not None:
        reporters.append(queue)
    task: SourceTask = spec.task_class()
    return SourceWork(
        task=task,
        config=parts.resolver.resolve(spec.task_config),
        context=context,
        writer=writer,
        errors=errors,
        topics=TopicCreator(
            parts.broker.admin(),
            rules(resolved),
            enabled=parts.config["topic.creation.enable"],
            used=exactly_once.refusing(own_topic, spec.used) if once else spec.used,
        ),
        commits=commits,
        stats=spec.stats,
        clock=parts.clock,
        release=undo.pop_all().close,
        flush_timeout=parts.config.seconds("offset.flush.timeout.ms"),
    )


def _producer(
    parts: WorkerParts,
    spec: TaskSpec,
    resolved: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    once: bool,
) -> Producer:
    if once:
        return exactly_once.source_producer(parts, spec, resolved, options)
    wanted = producer_options(parts.config, resolved)
    return parts.broker.producer(f"connector-producer-{spec.name}", options=wanted)


def _commits(parts: WorkerParts, spec: TaskSpec, producer: Producer, offsets: OffsetStore) -> Commits:
    config = parts.config
    timeout = config.seconds("offset.flush.timeout.ms")
    if producer.atomic and not config["offset.storage.file.filename"]:
        interval = config.seconds("durability.interval.ms")
        return AtomicCommit(spec.name, spec.connector, producer, offsets, interval, timeout)
    interval = config.seconds("offset.flush.interval.ms")
    return PeriodicCommit(spec.name, spec.connector, producer, offsets, interval, timeout)
