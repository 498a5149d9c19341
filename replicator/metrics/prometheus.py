"""Samples of the live facts of a worker, its connectors and tasks. Pure: facts in, text out; any thread.

Only numbers, names of connectors, tasks, tables, columns and classes are exposed, never values of
rows or options (INV-9).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeGuard

from replicator.metrics import names, names_connect, names_debezium
from replicator.metrics.exposition import CONTENT_TYPE as CONTENT_TYPE
from replicator.metrics.exposition import Exposition, Labels
from replicator.metrics.metric import Group
from replicator.metrics.samples import ConnectorSample, TaskSample, WorkerSample

_GAUGE: Final = re.compile(r"(?P<name>[^{]+)(?:\{(?P<labels>.*)\})?", re.DOTALL)
_LABEL: Final = re.compile(r'(\w+)="(.*?)"(?=,\w+="|$)', re.DOTALL)
_NOT_IN_NAMES: Final = re.compile(r"\W", re.ASCII)


def exposition(
    connectors: Mapping[str, ConnectorSample],
    tasks: Sequence[TaskSample],
    worker: WorkerSample | None = None,
    *,
    now_ms: float | None = None,
) -> str:
    """The text for GET /metrics.

    Args:
        connectors: all connectors by name.
        tasks: all tasks of this worker.
        worker: the worker.
        now_ms: the present; the clock's when not given.
    """
    out = Exposition()
    _worker(out, worker or WorkerSample(), len(connectors), len(tasks))
    for name, connector in connectors.items():
        _connector(out, name, connector)
    now = time.time() * 1000 if now_ms is None else now_ms
    for task in tasks:
        _task(out, task, now)
    return out.render()


def _worker(out: Exposition, worker: WorkerSample, connectors: int, tasks: int) -> None:
    counts = {"connector_count": connectors, "task_count": tasks}
    _group(out, names_connect.WORKER, {**worker.measures, **counts}, {})
    _group(out, names_connect.REBALANCE, worker.rebalance, {})
    _group(out, names_connect.COORDINATOR, worker.rebalance, {})
    info = {n: str(worker.rebalance.get(n) or "") for n in names_connect.REBALANCE_INFO.labels}
    if any(info.values()):
        out.add(names_connect.REBALANCE_INFO, 1, info)
    if worker.version:
        out.add(names.BUILD, 1, {"version": worker.version})
    for metric in names.PROCESS.metrics:
        if metric.name in worker.process:
            out.add(metric, worker.process[metric.name], {})


def _connector(out: Exposition, name: str, connector: ConnectorSample) -> None:
    out.add(names_connect.CONNECTOR_STATUS, 1, {"connector": name, "status": connector.state.lower()})
    if connector.info:
        out.add(names_connect.CONNECTOR_INFO, 1, {"connector": name, **connector.info})
    states = [state.lower() for state in connector.tasks]
    for metric in names_connect.WORKER_CONNECTOR.metrics:
        count = len(states) if metric.stat == "total" else states.count(metric.stat)
        out.add(metric, count, {"connector": name})


def _task(out: Exposition, task: TaskSample, now: float) -> None:
    labels, measures = task.labels, task.measures
    out.add(names_connect.TASK_STATUS, 1, labels | {"status": task.state.lower()})
    _group(out, names_connect.TASK, _mapping(measures.get("task")), labels)
    kind = names_connect.SOURCE if task.kind == "source" else names_connect.SINK
    _group(out, kind, _mapping(measures.get(task.kind)), labels)
    _group(out, names_connect.ERRORS, _mapping(measures.get("errors")), labels)
    _infos(out, _mapping(measures.get("info")), labels)
    for metric in names.TASK_FIGURES:
        value = task.stats.get(metric.stat)
        if is_number(value):
            out.add(metric, value, labels)
    last = max((task.stats.get(n) or 0 for n in ("last_poll_ms", "last_put_ms")), default=0)
    if last:
        out.add(names.IDLE, max(0.0, now - last) / 1000, labels)
    _times(out, task)
    _facts(out, task)
    for name, own, value in parsed_gauges(task.gauges):
        out.add_named(names.GAUGE_PREFIX + name, value, labels | own, "Published by the task.")


def _group(out: Exposition, group: Group, values: Mapping[str, Any], labels: Labels) -> None:
    for stat, metric in group.by_stat().items():
        value = values.get(stat)
        if isinstance(value, bool):
            value = int(value)
        if is_number(value):
            out.add(metric, value, labels)


def _infos(out: Exposition, info: Mapping[str, Any], labels: Labels) -> None:
    of_task = _mapping(info.get("task"))
    if of_task:
        out.add(names_connect.TASK_INFO, 1, {**labels, **of_task})
    for kind, metric in (
        ("transform", names_connect.TRANSFORM_INFO),
        ("predicate", names_connect.PREDICATE_INFO),
    ):
        for found in info.get(f"{kind}s") or ():
            out.add(metric, 1, {**labels, **found})


def _times(out: Exposition, task: TaskSample) -> None:
    lag = lag_ms(task.stats, task.facts)
    if lag is not None:
        out.add(names.LAG, lag / 1000, task.labels)
    newest, worst = task.stats.get("end_to_end_ms"), task.measures.get("end_to_end_max_ms")
    if is_number(newest):
        out.add(names.END_TO_END, newest / 1000, task.labels)
    if is_number(worst):
        out.add(names.END_TO_END_MAX, worst / 1000, task.labels)
    times = _mapping(task.measures.get("end_to_end_times"))
    if times:
        out.add_histogram(names.END_TO_END_TIMES, times, task.labels)


def _facts(out: Exposition, task: TaskSample) -> None:
    labels = task.labels
    retained = task.facts.get("retained_bytes")
    if is_number(retained):
        out.add(names.RETAINED, retained, labels)
    for table, facts in _mapping(task.facts.get("tables")).items():
        _table(out, labels | {"table": table}, _mapping(facts))
    for table in _mapping(task.facts.get("stopped_tables")):
        out.add(names.TABLE_STOPPED, 1, labels | {"table": table})
    for column, count in _mapping(task.facts.get("values_lost")).items():
        if is_number(count):
            out.add(names.VALUES_LOST, count, labels | {"column": column})
    out.add(names.WARNINGS, len(task.facts.get("warnings") or ()), labels)
    _debezium(out, _mapping(task.facts.get("debezium")), labels)


def _table(out: Exposition, labels: Labels, facts: Mapping[str, Any]) -> None:
    rows = facts.get("rows_done", facts.get("rows"))
    if is_number(rows):
        out.add(names.TABLE_ROWS, rows, labels)
    expected = facts.get("rows_total")
    if is_number(expected):
        out.add(names.TABLE_ROWS_EXPECTED, expected, labels)


def _debezium(out: Exposition, found: Mapping[str, Any], task: Labels) -> None:
    """See names_debezium."""
    for context in names_debezium.CONTEXTS:
        values = _mapping(found.get(context))
        labels = {
            "plugin": str(found.get("plugin", "")),
            "name": str(found.get("server", "")),
            "context": context,
            **task,
        }
        for attribute, value in values.items():
            metric = names_debezium.ATTRIBUTES.get(attribute)
            if metric is None:
                continue
            if attribute in names_debezium.MAPS:
                for member, number in _mapping(value).items():
                    if is_number(number):
                        out.add(metric, number, labels | {names_debezium.MAPS[attribute]: str(member)})
            elif isinstance(value, bool) or is_number(value):
                out.add(metric, int(value) if isinstance(value, bool) else value, labels)
        texts = {name: str(values[name]) for name in names_debezium.TEXTS if values.get(name)}
        if texts:
            out.add(names_debezium.INFO, 1, labels | texts)


def lag_ms(stats: Mapping[str, Any], facts: Mapping[str, Any]) -> float | None:
    """The lag of a task in milliseconds: measured by its loop, or published by it."""
    for where in (stats, facts):
        value = where.get("lag_ms")
        if is_number(value):
            return float(value)
    return None


def parsed_gauges(gauges: Mapping[str, float]) -> Iterator[tuple[str, dict[str, str], float]]:
    """Published numbers as (metric name, labels, value)."""
    for text, value in gauges.items():
        found = _GAUGE.fullmatch(text)
        if found is not None:
            labels = dict(_LABEL.findall(found["labels"] or ""))
            yield _NOT_IN_NAMES.sub("_", found["name"]), labels, value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value can be a sample as it is."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
