"""Samples that make every documented metric appear."""

from __future__ import annotations

from typing import Any

from replicator.metrics import names_connect, names_debezium
from replicator.metrics.metric import Group
from replicator.metrics.names import PROCESS
from replicator.metrics.samples import ConnectorSample, TaskSample, WorkerSample


def filled(group: Group, **known: Any) -> dict[str, Any]:
    """A value for each figure of a group."""
    return {stat: known.get(stat, 1) for stat in group.by_stat()}


def attributes(*groups: Group, **known: Any) -> dict[str, Any]:
    """A value for each attribute of groups of Debezium's."""
    found: dict[str, Any] = {}
    for group in groups:
        for name in group.by_stat():
            found[name] = known.get(name, {"public.a": 5} if name in names_debezium.MAPS else 1)
    return found


SOURCE = TaskSample(
    "shop-source",
    "source",
    0,
    "RUNNING",
    {
        "records_in": 10,
        "records_out": 9,
        "batches": 3,
        "last_batch": 4,
        "commits": 1,
        "commit_failures": 0,
        "retries": 0,
        "last_poll_ms": 1000,
        "last_put_ms": None,
    },
    {
        "lag_ms": 250,
        "retained_bytes": 4096,
        "phase": "snapshot",
        "tables": {'public."a\\b"': {"state": "copying", "rows_done": 5, "rows_total": 8}},
        "debezium": {
            "plugin": "postgres",
            "server": "shop",
            "snapshot": attributes(names_debezium.COMMON, names_debezium.SNAPSHOT, SnapshotCompleted=False),
            "streaming": {
                **attributes(
                    names_debezium.COMMON,
                    names_debezium.STREAMING,
                    names_debezium.BINLOG,
                    MilliSecondsBehindSource=250,
                    Connected=True,
                    SourceEventPosition={"lsn": 77, "text": "0/4D"},
                ),
                "BinlogFilename": "binlog.000001",
                "LastEvent": "secret key of a row",
            },
            "schema-history": {**attributes(names_debezium.HISTORY), "Status": "RUNNING"},
        },
    },
    {'queue_bytes{database="d",odd="a,b=\\"c"}': 7.0, "bad-name": 1.0},
    {
        "source": filled(names_connect.SOURCE, source_record_poll_total=10, poll_batch_avg_time_ms=2.5),
        "task": filled(names_connect.TASK),
        "errors": filled(names_connect.ERRORS),
        "info": {},
    },
)
SINK = TaskSample(
    "shop-sink",
    "sink",
    1,
    "FAILED",
    {"records_in": 3, "records_out": 2, "commits": 4, "end_to_end_ms": 40},
    {
        "stopped_tables": {"t": "why"},
        "values_lost": {"t.c": 2},
        "tables": {"t": {"rows": 3}},
        "warnings": ["w"],
    },
    {},
    {
        "sink": filled(names_connect.SINK, partition_count=4),
        "task": filled(names_connect.TASK, running_ratio=0.5, batch_size_max=float("nan")),
        "errors": filled(names_connect.ERRORS, total_record_failures=7, last_error_timestamp=12345),
        "info": {
            "task": dict.fromkeys(names_connect.TASK_INFO.labels[2:], "x"),
            "transforms": [{"transform": "unwrap", "transform_class": "X", "transform_version": "2"}],
            "predicates": [{"predicate": "p", "predicate_class": "P", "predicate_version": ""}],
        },
        "end_to_end_max_ms": 60,
        "end_to_end_times": {"buckets": [[0.05, 2], [0.1, 3]], "sum": 0.1, "count": 3},
    },
)
CONNECTORS = {
    "shop-source": ConnectorSample("RUNNING", ["RUNNING"], {}),
    "shop-sink": ConnectorSample(
        "RUNNING",
        ["RUNNING", "FAILED"],
        {"connector_class": "S", "connector_type": "sink", "connector_version": "1"},
    ),
}
WORKER = WorkerSample(
    "0.1",
    filled(names_connect.WORKER, task_startup_failure_percentage=0.25),
    {
        **filled(names_connect.REBALANCE, completed_rebalances_total=3),
        **filled(names_connect.COORDINATOR, assigned_tasks=2),
        "connect_protocol": "sessioned",
        "leader_name": "w1",
    },
    {metric.name: 1.0 for metric in PROCESS.metrics},
)
