"""docs/metrics.md, made from the table of names. Pure."""

from __future__ import annotations

from typing import Final

from replicator.metrics.metric import HISTOGRAM, UNTYPED, Group, Metric
from replicator.metrics.names import GROUPS

_HEAD: Final = """# Metrics

`GET /metrics` of a worker's REST address answers in Prometheus' text format. This page is written by
`python scripts/write_docs.py` from `replicator/metrics/names.py`; a test holds both together.

Metrics of Kafka Connect and Debezium carry the names that the usual rules of the JMX exporter give them, so that
boards and alerts made for those work here. Figures are counted once a batch, hardly ever per record. Only numbers and
names (of connectors, tasks, tables, columns, classes) are exposed, never values of rows or options.

`deploy/prometheus.yml` scrapes a worker, `deploy/alerts.yml` holds alert rules, `deploy/grafana.json` a board; they use
names from this page only.

A metric appears when there is something to tell: those of sources for source tasks, those of distributed workers for
distributed workers, minimum and maximum once something was measured.
"""


def markdown() -> str:
    """The page."""
    return "\n".join([_HEAD, *(part for group in GROUPS for part in _group(group))])


def _group(group: Group) -> list[str]:
    origin = any(metric.origin for metric in group.metrics)
    head = "| metric | kind | labels |" + (" attribute |" if origin else "") + " meaning |"
    lines = [f"## {group.title}", ""]
    if group.text:
        lines += [group.text, ""]
    lines += [head, "| --- " * (5 if origin else 4) + "|"]
    lines += [_row(metric, origin=origin) for metric in group.metrics]
    return [*lines, ""]


def _row(metric: Metric, *, origin: bool) -> str:
    kind = "counter (untyped)" if metric.kind == UNTYPED else metric.kind
    name = f"`{metric.name}`" + (" (`_bucket`, `_sum`, `_count`)" if metric.kind == HISTOGRAM else "")
    cells = [name, kind, ", ".join(metric.labels), *([metric.origin] if origin else []), metric.help]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
