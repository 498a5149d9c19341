"""Prometheus text: names, labels, escapes; read back with the reference parser."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from replicator.metrics.prometheus import TaskSample, exposition, lag_ms, parsed_gauges

SOURCE = TaskSample(
    "shop-source",
    "source",
    0,
    "RUNNING",
    {
        "records_in": 10,
        "records_out": 9,
        "records_out_per_second": 1.5,
        "last_poll_ms": 1000,
        "last_put_ms": None,
    },
    {
        "lag_ms": 250,
        "retained_bytes": 4096,
        "phase": "snapshot",
        "tables": {'public."a\\b"': {"state": "copying", "rows_done": 5, "rows_total": 8}},
    },
    {'queue_bytes{database="d",odd="a,b=\\"c"}': 7.0, "bad-name": 1.0},
)
SINK = TaskSample(
    "shop-sink",
    "sink",
    1,
    "FAILED",
    {"records_in": 3, "records_out": 2, "commits": 4},
    {
        "stopped_tables": {"t": "why"},
        "values_lost": {"t.c": 2},
        "tables": {"t": {"rows": 3}},
        "warnings": ["w"],
    },
)


def samples() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = exposition({"shop-source": "RUNNING", "shop-sink": "RUNNING"}, [SOURCE, SINK], now_ms=3000)
    found: dict[Any, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


def value(name: str, **labels: str) -> float | None:
    return samples().get((name, frozenset(labels.items())))


def test_names_and_values() -> None:
    of_source = {"connector": "shop-source", "task": "0"}
    of_sink = {"connector": "shop-sink", "task": "1"}
    assert value("kafka_connect_worker_connector_count") == 2
    assert value("kafka_connect_source_task_source_record_poll_total", **of_source) == 10
    assert value("kafka_connect_source_task_source_record_write_rate", **of_source) == 1.5
    assert value("kafka_connect_sink_task_sink_record_read_total", **of_sink) == 3
    assert value("kafka_connect_connector_task_status", **of_sink, status="failed") == 1
    assert value("replicator_lag_seconds", **of_source) == 0.25
    assert value("replicator_source_retained_bytes", **of_source) == 4096
    assert value("replicator_task_idle_seconds", **of_source) == 2.0
    assert value("replicator_table_rows_total", **of_source, table='public."a\\b"') == 5
    assert value("replicator_table_rows_expected", **of_source, table='public."a\\b"') == 8
    assert value("replicator_table_stopped", **of_sink, table="t") == 1
    assert value("replicator_values_lost_total", **of_sink, column="t.c") == 2
    assert value("replicator_bad_name", **of_source) == 1


def test_gauges_with_labels() -> None:
    assert list(parsed_gauges(SOURCE.gauges)) == [
        ("queue_bytes", {"database": "d", "odd": 'a,b=\\"c'}, 7.0),
        ("bad_name", {}, 1.0),
    ]


def test_each_metric_is_declared_once() -> None:
    text = exposition({"a": "RUNNING"}, [SOURCE, SINK], now_ms=0)
    declared = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(declared) == len(set(declared))
    assert text.endswith("\n")


def test_lag_prefers_what_the_loop_measured() -> None:
    assert lag_ms({"lag_ms": 1}, {"lag_ms": 2}) == 1
    assert lag_ms({"lag_ms": None}, {"lag_ms": 2}) == 2
    assert lag_ms({}, {"lag_ms": True}) is None
