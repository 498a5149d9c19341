"""Puts the parts of one run of a sink task together; called on the task's thread.

Options are resolved here, at the last moment, and live as long as the run (INV-9). What was made is released again
when something cannot be made.
"""

from __future__ import annotations

from contextlib import ExitStack

from replicator.config.connector import SINK_DEF
from replicator.config.sink_topics import topic_pattern
from replicator.runtime.assembly import (
    TaskSpec,
    WorkerParts,
    dead_letters,
    error_handling,
    pipeline,
    sink_group,
)
from replicator.runtime.clients import consumer_options, max_poll_records, producer_options
from replicator.runtime.contexts import SinkContext
from replicator.runtime.errant import RecordReporter
from replicator.runtime.sink_records import RecordReader
from replicator.runtime.sink_task import SinkWork


def sink_work(parts: WorkerParts, spec: TaskSpec) -> SinkWork:
    """A run of a sink task."""
    with ExitStack() as undo:
        return _make(parts, spec, undo)


def _make(parts: WorkerParts, spec: TaskSpec, undo: ExitStack) -> SinkWork:
    resolved = parts.resolver.resolve(spec.config)
    options = SINK_DEF.parse(resolved)
    errors, reporters = error_handling(parts, spec, options)
    chain, key, value, header = pipeline(parts, resolved, undo)
    queue = dead_letters(
        parts,
        spec,
        options,
        lambda: parts.broker.producer(
            f"connector-dlq-producer-{spec.name}", options=producer_options(parts.config, resolved)
        ),
    )
    if queue is not None:
        undo.callback(queue.close)
        reporters.append(queue)
    reader = RecordReader(chain, key, value, header, errors)
    reporter = RecordReporter(errors, reader.original, lambda: spec.task_class, queue) if reporters else None
    client = consumer_options(parts.config, resolved)
    regex = options["topics.regex"]
    topics = topic_pattern(regex) if regex else [t for t in options["topics"] if t]
    task, task_config = spec.task_class(), parts.resolver.resolve(spec.task_config)
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
    return SinkWork(
        task=task,
        config=task_config,
        context=context,
        consumer=consumer,
        topics=topics,
        reader=reader,
        reporter=reporter,
        stats=spec.stats,
        clock=parts.clock,
        max_poll_records=max_poll_records(client),
        commit_interval=parts.config.seconds("offset.flush.interval.ms"),
        used=spec.used,
        release=undo.pop_all().close,
    )
