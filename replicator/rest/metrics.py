"""GET /metrics: gathers what the herder knows into Prometheus' text (FastAPI's thread pool)."""

from __future__ import annotations

from typing import Any

from replicator import __version__
from replicator.api.errors import ConnectError
from replicator.herder.base import Herder
from replicator.herder.views import ConnectorStatus
from replicator.metrics.prometheus import exposition
from replicator.metrics.samples import ConnectorSample, TaskSample, WorkerSample
from replicator.runtime.startups import STARTUPS


def metrics_text(herder: Herder) -> str:
    """The text. A distributed worker shows what it runs itself, so that sums over workers are right."""
    facts = _worker_facts(herder)
    mine = facts.get("worker_id")
    connectors: dict[str, ConnectorSample] = {}
    tasks: list[TaskSample] = []
    for name in herder.connectors():
        try:
            status = herder.connector_status(name)
            progress = herder.progress(name)
            config = herder.connector_config(name)
        except ConnectError:
            continue  # deleted meanwhile
        states = [t.state for t in status.tasks if mine in (None, t.worker_id)]
        if mine in (None, status.connector.worker_id) or states:
            connectors[name] = ConnectorSample(status.connector.state, states, _info(status, config))
        tasks += [
            TaskSample(name, status.type, p.id.task, p.state, p.stats, p.facts, p.gauges, p.measures)
            for p in progress
        ]
    worker = WorkerSample(__version__, STARTUPS.measures(), facts.get("rebalance") or {}, _process())
    return exposition(connectors, tasks, worker)


def _info(status: ConnectorStatus, config: Any) -> dict[str, str]:
    return {
        "connector_class": str(config.get("connector.class", "")),
        "connector_type": status.type,
        "connector_version": status.connector.version or "",
    }


def _worker_facts(herder: Herder) -> dict[str, Any]:
    """`{"worker_id", "rebalance": {attribute: value}}` of a herder that shares its connectors with others."""
    ask = getattr(herder, "worker_facts", None)
    found: dict[str, Any] = ask() if ask is not None else {}
    return found


def _process() -> dict[str, float]:
    from prometheus_client import ProcessCollector
    from prometheus_client.registry import CollectorRegistry

    collector = ProcessCollector(registry=CollectorRegistry())
    return {sample.name: sample.value for family in collector.collect() for sample in family.samples}
