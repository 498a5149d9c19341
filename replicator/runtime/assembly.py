"""What runs of tasks are put together from; `source_assembly` and `sink_assembly` do it, on the task's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

from replicator.broker.base import Broker, Producer
from replicator.config.connector import DLQ_HEADERS, DLQ_REPLICATION, DLQ_TOPIC
from replicator.config.providers import Resolver
from replicator.config.worker import WorkerConfig
from replicator.plugins import factory
from replicator.plugins.registry import Registry
from replicator.runtime.chain import Chain
from replicator.runtime.clock import Clock
from replicator.runtime.contexts import TaskFacts
from replicator.runtime.dead_letters import DeadLetterQueue, LogReporter, SourceEncoder
from replicator.runtime.stats import TaskStats
from replicator.runtime.tolerance import ErrorHandler, ErrorPolicy, Reporter
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
        abandoned: set when it did not end in time: somebody else may have its work.
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
    abandoned: threading.Event = field(default_factory=threading.Event)
    facts: TaskFacts = field(default_factory=TaskFacts)
    guard: TaskGuard | None = None

    @property
    def name(self) -> str:
        """`connector-task`."""
        return f"{self.connector}-{self.task}"


def sink_group(connector: str, config: Mapping[str, Any]) -> str:
    """Consumer group of a sink connector."""
    return str(config.get("consumer.override.group.id") or f"connect-{connector}")


def pipeline(parts: WorkerParts, config: Mapping[str, Any], undo: ExitStack) -> tuple[Chain, Any, Any, Any]:
    """Transforms, and converters of keys, values and headers; closed with `undo`."""
    chain = Chain(factory.steps(parts.registry, config))
    undo.callback(chain.close)
    key = factory.converter(parts.registry, config, parts.converters, is_key=True)
    undo.callback(key.close)
    value = factory.converter(parts.registry, config, parts.converters, is_key=False)
    undo.callback(value.close)
    header = factory.header_converter(parts.registry, config, parts.converters)
    undo.callback(header.close)
    return chain, key, value, header


def error_handling(
    parts: WorkerParts, spec: TaskSpec, options: Mapping[str, Any]
) -> tuple[ErrorHandler, list[Reporter]]:
    """What this run does with failures, and whom it tells: a dead letter queue may be added to these."""
    counts = spec.stats.fresh_errors()
    reporters: list[Reporter] = []
    if options["errors.log.enable"]:
        include = options["errors.log.include.messages"]
        reporters.append(LogReporter(spec.connector, spec.task, include_messages=include, counts=counts))
    return ErrorHandler(ErrorPolicy.of(options), reporters, parts.clock, spec.stopping, counts), reporters


def dead_letters(
    parts: WorkerParts,
    spec: TaskSpec,
    options: Mapping[str, Any],
    producer: Callable[[], Producer],
    encoder: SourceEncoder | None = None,
) -> DeadLetterQueue | None:
    """The dead letter queue, if there is to be one."""
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
