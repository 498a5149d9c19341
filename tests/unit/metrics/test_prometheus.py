"""Prometheus text: names, labels, escapes; read back with the reference parser."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from replicator.metrics import names
from replicator.metrics.metric import COUNTER
from replicator.metrics.prometheus import exposition, lag_ms, parsed_gauges
from replicator.metrics.samples import ConnectorSample
from tests.unit.metrics.everything import CONNECTORS, SINK, SOURCE, WORKER


def text() -> str:
    return exposition(CONNECTORS, [SOURCE, SINK], WORKER, now_ms=3000)


def samples() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found: dict[Any, float] = {}
    for family in text_string_to_metric_families(text()):
        for sample in family.samples:
            found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


SAMPLES = samples()


OF_SOURCE = {"connector": "shop-source", "task": "0"}
OF_SINK = {"connector": "shop-sink", "task": "1"}
OF_DEBEZIUM = {"plugin": "postgres", "name": "shop", **OF_SOURCE}


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("kafka_connect_worker_connector_count", {}, 2),
        ("kafka_connect_worker_task_startup_failure_percentage", {}, 0.25),
        ("kafka_connect_worker_connector_failed_task_count", {"connector": "shop-sink"}, 1),
        ("kafka_connect_worker_connector_total_task_count", {"connector": "shop-sink"}, 2),
        ("kafka_connect_worker_rebalance_completed_rebalances_total", {}, 3),
        ("kafka_connect_worker_rebalance_info", {"connect_protocol": "sessioned", "leader_name": "w1"}, 1),
        ("kafka_connect_coordinator_assigned_tasks", {}, 2),
        ("kafka_connect_connector_status", {"connector": "shop-sink", "status": "running"}, 1),
        (
            "kafka_connect_connector_info",
            {
                "connector": "shop-sink",
                "connector_class": "S",
                "connector_type": "sink",
                "connector_version": "1",
            },
            1,
        ),
        ("kafka_connect_source_task_source_record_poll_total", OF_SOURCE, 10),
        ("kafka_connect_source_task_poll_batch_avg_time_ms", OF_SOURCE, 2.5),
        ("kafka_connect_sink_task_partition_count", OF_SINK, 4),
        ("kafka_connect_connector_task_running_ratio", OF_SINK, 0.5),
        ("kafka_connect_connector_task_status", {**OF_SINK, "status": "failed"}, 1),
        ("kafka_connect_task_error_total_record_failures", OF_SINK, 7),
        ("kafka_connect_task_error_last_error_timestamp", OF_SINK, 12345),
        (
            "kafka_connect_connector_transform_info",
            {**OF_SINK, "transform": "unwrap", "transform_class": "X", "transform_version": "2"},
            1,
        ),
        ("replicator_lag_seconds", OF_SOURCE, 0.25),
        ("replicator_end_to_end_lag_seconds", OF_SINK, 0.04),
        ("replicator_end_to_end_lag_max_seconds", OF_SINK, 0.06),
        ("replicator_end_to_end_seconds_bucket", {**OF_SINK, "le": "0.05"}, 2),
        ("replicator_end_to_end_seconds_bucket", {**OF_SINK, "le": "+Inf"}, 3),
        ("replicator_end_to_end_seconds_sum", OF_SINK, 0.1),
        ("replicator_source_retained_bytes", OF_SOURCE, 4096),
        ("replicator_task_idle_seconds", OF_SOURCE, 2.0),
        ("replicator_task_warnings", OF_SINK, 1),
        ("replicator_table_rows_total", {**OF_SOURCE, "table": 'public."a\\b"'}, 5),
        ("replicator_table_rows_expected", {**OF_SOURCE, "table": 'public."a\\b"'}, 8),
        ("replicator_table_stopped", {**OF_SINK, "table": "t"}, 1),
        ("replicator_values_lost_total", {**OF_SINK, "column": "t.c"}, 2),
        ("replicator_bad_name", OF_SOURCE, 1),
        ("debezium_metrics_MilliSecondsBehindSource", {**OF_DEBEZIUM, "context": "streaming"}, 250),
        ("debezium_metrics_Connected", {**OF_DEBEZIUM, "context": "streaming"}, 1),
        ("debezium_metrics_SnapshotCompleted", {**OF_DEBEZIUM, "context": "snapshot"}, 0),
        ("debezium_metrics_RowsScanned", {**OF_DEBEZIUM, "context": "snapshot", "table": "public.a"}, 5),
        ("debezium_metrics_SourceEventPosition", {**OF_DEBEZIUM, "context": "streaming", "key": "lsn"}, 77),
        (
            "debezium_metrics_info",
            {**OF_DEBEZIUM, "context": "schema-history", "Status": "RUNNING"},
            1,
        ),
    ],
)
def test_names_and_values(name: str, labels: dict[str, str], expected: float) -> None:
    assert SAMPLES.get((name, frozenset(labels.items()))) == expected


def test_values_of_rows_stay_out() -> None:
    assert "secret key of a row" not in text()


def test_gauges_with_labels() -> None:
    assert list(parsed_gauges(SOURCE.gauges)) == [
        ("queue_bytes", {"database": "d", "odd": 'a,b=\\"c'}, 7.0),
        ("bad_name", {}, 1.0),
    ]


def test_each_metric_is_declared_once_as_the_table_says() -> None:
    declared = [line.split() for line in text().splitlines() if line.startswith("# TYPE")]
    assert len({d[2] for d in declared}) == len(declared)
    for _, _, name, kind in declared:
        if name in names.ALL:
            assert names.ALL[name].kind == kind, name
    assert text().endswith("\n")


def test_every_metric_can_appear_with_its_labels() -> None:
    """What the documentation lists is what is exposed: nothing is documented that never appears."""
    seen: dict[str, set[str]] = {}
    for name, labels in SAMPLES:
        base = name
        for suffix in ("_bucket", "_sum", "_count"):
            if name.removesuffix(suffix) in names.ALL and name not in names.ALL:
                base = name.removesuffix(suffix)
        seen.setdefault(base, set()).update(label for label, _ in labels)
    missing = sorted(set(names.ALL) - set(seen))
    assert missing == []
    for name, metric in names.ALL.items():
        assert seen[name] - {"le"} == set(metric.labels), name


def test_what_is_declared_a_counter_ends_in_total() -> None:
    for metric in names.ALL.values():
        assert (metric.kind == COUNTER) == metric.name.endswith("_total"), metric.name


def test_lag_prefers_what_the_loop_measured() -> None:
    assert lag_ms({"lag_ms": 1}, {"lag_ms": 2}) == 1
    assert lag_ms({"lag_ms": None}, {"lag_ms": 2}) == 2
    assert lag_ms({}, {"lag_ms": True}) is None


def test_without_facts() -> None:
    assert "kafka_connect_worker_connector_count 1" in exposition({"x": ConnectorSample("RUNNING")}, [])
