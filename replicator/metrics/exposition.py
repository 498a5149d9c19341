"""Prometheus' text format. Pure; any thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replicator.metrics.metric import GAUGE, HISTOGRAM, Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


class Exposition:
    """Collects samples by metric, so that each metric's lines stand together as the format asks."""

    def __init__(self) -> None:
        self._metrics: dict[str, tuple[str, str, list[str]]] = {}

    def add(self, metric: Metric, value: float, labels: Labels) -> None:
        """One sample."""
        self._lines(metric.name, metric.kind, metric.help).append(_line(metric.name, labels, value))

    def add_named(self, name: str, value: float, labels: Labels, text: str) -> None:
        """One sample of a gauge whose name a connector chose."""
        self._lines(name, GAUGE, text).append(_line(name, labels, value))

    def add_histogram(self, metric: Metric, found: Mapping[str, Any], labels: Labels) -> None:
        """A histogram: `{"buckets": [[bound, count up to it] ...], "sum", "count"}`."""
        lines = self._lines(metric.name, HISTOGRAM, metric.help)
        for bound, count in (*found["buckets"], (float("inf"), found["count"])):
            lines.append(_line(f"{metric.name}_bucket", {**labels, "le": _number(bound)}, count))
        lines.append(_line(f"{metric.name}_sum", labels, found["sum"]))
        lines.append(_line(f"{metric.name}_count", labels, found["count"]))

    def render(self) -> str:
        """The text."""
        parts: list[str] = []
        for name, (kind, text, lines) in self._metrics.items():
            parts += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *lines]
        return "\n".join(parts) + "\n"

    def _lines(self, name: str, kind: str, text: str) -> list[str]:
        return self._metrics.setdefault(name, (kind, text, []))[2]


def _line(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(found)}"' for label, found in labels.items())
    return f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
