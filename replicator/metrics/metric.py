"""What a metric is: name, kind, labels, meaning. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

COUNTER: Final = "counter"
GAUGE: Final = "gauge"
HISTOGRAM: Final = "histogram"
UNTYPED: Final = "untyped"
"""A counter that keeps the name it has elsewhere: scrapers expect `_total` at the end of those declared as counters."""

TASK_LABELS: Final = ("connector", "task")


class Metric(NamedTuple):
    """One metric of the exposition.

    Attributes:
        name: full name, for counters with `_total` where they have it.
        kind: counter, gauge, histogram or untyped.
        labels: names of its labels.
        help: what it says.
        origin: attribute of Connect or Debezium behind it, or "".
        stat: name of the figure in a task's statistics, or "".
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    origin: str = ""
    stat: str = ""


class Group(NamedTuple):
    """Metrics that belong together.

    Attributes:
        title: heading in the documentation.
        text: a sentence or two about it.
        metrics: its metrics.
    """

    title: str
    text: str
    metrics: tuple[Metric, ...]

    def by_stat(self) -> dict[str, Metric]:
        """Its metrics by figure."""
        return {metric.stat: metric for metric in self.metrics if metric.stat}


def attribute(prefix: str, name: str, help_: str, labels: tuple[str, ...] = TASK_LABELS) -> Metric:
    """The metric of an attribute of Connect."""
    stat = name.replace("-", "_")
    counts = stat.startswith("total_") or stat.endswith(("_requests", "_failures"))
    kind = COUNTER if stat.endswith("_total") else UNTYPED if counts else GAUGE
    return Metric(prefix + stat, kind, labels, help_, name, stat)
