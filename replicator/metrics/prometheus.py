"""Prometheus text of the live facts of tasks. Pure: facts in, text out; any thread.

Only numbers, names of connectors, tasks, tables and columns are exposed, never values of rows or
options (INV-9).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from replicator.metrics import names
from replicator.metrics.names import SINK_FIGURES, SOURCE_FIGURES, TASK_FIGURES, Figure

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_GAUGE: Final = re.compile(r"(?P<name>[^{]+)(?:\{(?P<labels>.*)\})?", re.DOTALL)
_LABEL: Final = re.compile(r'(\w+)="(.*?)"(?=,\w+="|$)', re.DOTALL)
_NOT_IN_NAMES: Final = re.compile(r"\W", re.ASCII)

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TaskSample:
    """What is known of one task.

    Attributes:
        connector: its connector.
        kind: `source` or `sink`.
        task: its index.
        state: its state.
        stats: figures of its loop.
        facts: what it published about its work.
        gauges: numbers it published, `name` or `name{label="value"}`.
    """

    connector: str
    kind: str
    task: int
    state: str
    stats: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of all its metrics."""
        return {"connector": self.connector, "task": str(self.task)}


class Exposition:
    """Collects samples by metric, so that each metric's lines stand together as the format asks."""

    def __init__(self) -> None:
        self._metrics: dict[str, tuple[str, str, list[str]]] = {}

    def add(self, name: str, value: float, labels: Labels, *, text: str, counter: bool = False) -> None:
        """One sample."""
        name = f"{name}_total" if counter else name
        kind = "counter" if counter else "gauge"
        lines = self._metrics.setdefault(name, (kind, text, []))[2]
        inside = ",".join(f'{label}="{_escaped(found)}"' for label, found in labels.items())
        lines.append(f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}")

    def render(self) -> str:
        """The text."""
        parts: list[str] = []
        for name, (kind, text, lines) in self._metrics.items():
            parts += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *lines]
        return "\n".join(parts) + "\n"


def exposition(
    connectors: Mapping[str, str], tasks: Sequence[TaskSample], *, now_ms: float | None = None
) -> str:
    """The text for GET /metrics.

    Args:
        connectors: state of each connector.
        tasks: all tasks.
        now_ms: the present; the clock's when not given.
    """
    out = Exposition()
    out.add(names.WORKER_CONNECTORS, len(connectors), {}, text="Connectors of this worker.")
    out.add(names.WORKER_TASKS, len(tasks), {}, text="Tasks of this worker.")
    for name, state in connectors.items():
        labels = {"connector": name, "status": state.lower()}
        out.add(names.CONNECTOR_STATUS, 1, labels, text="State of a connector, as a label.")
        count = sum(1 for t in tasks if t.connector == name)
        out.add(names.CONNECTOR_TASKS, count, {"connector": name}, text="Tasks of a connector.")
    now = time.time() * 1000 if now_ms is None else now_ms
    for task in tasks:
        _task(out, task, now)
    return out.render()


def _task(out: Exposition, task: TaskSample, now: float) -> None:
    status = task.labels | {"status": task.state.lower()}
    out.add(names.TASK_STATUS, 1, status, text="State of a task, as a label.")
    figures: tuple[Figure, ...] = (SOURCE_FIGURES if task.kind == "source" else SINK_FIGURES) + TASK_FIGURES
    for figure in figures:
        value = task.stats.get(figure.stat)
        if _is_number(value):
            out.add(figure.name, value, task.labels, text=figure.help, counter=figure.counter)
    last = max((task.stats.get(n) or 0 for n in ("last_poll_ms", "last_put_ms")), default=0)
    if last:
        idle = max(0.0, now - last) / 1000
        out.add(names.IDLE, idle, task.labels, text="Time since the task last moved a record.")
    _facts(out, task)
    for name, labels, value in parsed_gauges(task.gauges):
        out.add(names.GAUGE_PREFIX + name, value, task.labels | labels, text="Published by the task.")


def _facts(out: Exposition, task: TaskSample) -> None:
    lag = lag_ms(task.stats, task.facts)
    if lag is not None:
        out.add(names.LAG, lag / 1000, task.labels, text="Age of the newest change that passed.")
    retained = task.facts.get("retained_bytes")
    if _is_number(retained):
        out.add(names.RETAINED, retained, task.labels, text="Log the source keeps for this task.")
    for table, facts in _mapping(task.facts.get("tables")).items():
        _table(out, task.labels | {"table": table}, _mapping(facts))
    for table in _mapping(task.facts.get("stopped_tables")):
        out.add(names.TABLE_STOPPED, 1, task.labels | {"table": table}, text="A table that was stopped.")
    for column, count in _mapping(task.facts.get("values_lost")).items():
        if _is_number(count):
            labels = task.labels | {"column": column}
            text = "Values the target cannot hold, replaced as the policy says."
            out.add(names.VALUES_LOST, count, labels, text=text, counter=True)


def _table(out: Exposition, labels: Labels, facts: Mapping[str, Any]) -> None:
    rows = facts.get("rows_done", facts.get("rows"))
    if _is_number(rows):
        out.add(names.TABLE_ROWS, rows, labels, text="Rows of a table that passed.", counter=True)
    expected = facts.get("rows_total")
    if _is_number(expected):
        out.add(names.TABLE_ROWS_EXPECTED, expected, labels, text="Rows the copy of a table expects.")


def lag_ms(stats: Mapping[str, Any], facts: Mapping[str, Any]) -> float | None:
    """The lag of a task in milliseconds: measured by its loop, or published by it."""
    for where in (stats, facts):
        value = where.get("lag_ms")
        if _is_number(value):
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


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
