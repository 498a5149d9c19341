"""Metrics of a running pipeline, read as Prometheus would."""

from __future__ import annotations

import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from replicator.metrics import names
from scripts.devservers.process import free_port
from scripts.service import until
from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, running


class Scrape:
    """One answer of /metrics."""

    def __init__(self, port: int) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        self.declared = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
        # The parser adds _total to what Connect and Debezium call by other names; here names are as they are.
        self.found: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self.found.setdefault(sample.name, []).append((sample.labels, sample.value))

    def value(self, name: str, **labels: str) -> Any:
        for found, value in self.found.get(name, []):
            if all(part in found.get(label, "") for label, part in labels.items()):
                return value
        return None


def test_metrics_of_a_pipeline(pg_database: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    pg_database.execute(
        "CREATE TABLE goods (id int PRIMARY KEY, name text)",
        "INSERT INTO goods SELECT n, 'g' || n FROM generate_series(1, 300) n",
    )
    port = free_port()
    sync = running(make_sync(pg_database, mysql_database, port=str(port)), mysql_database, "goods")
    until(lambda: Scrape(port).value("debezium_metrics_Connected", context="streaming") == 1, 60)
    pg_database.execute(
        "INSERT INTO goods VALUES (1000, 'new')",
        "UPDATE goods SET name = 'other' WHERE id = 1",
        "DELETE FROM goods WHERE id = 2",
    )
    until(lambda: (Scrape(port).value("debezium_metrics_TotalNumberOfDeleteEventsSeen") or 0) == 1, 60)
    until(lambda: (Scrape(port).value("replicator_table_rows_total", connector="sink") or 0) >= 303, 60)
    until(lambda: Scrape(port).value("replicator_end_to_end_seconds_count") is not None, 60)
    scrape = Scrape(port)
    expected = {
        ("debezium_metrics_TotalNumberOfCreateEventsSeen", "source"): 1,
        ("debezium_metrics_TotalNumberOfUpdateEventsSeen", "source"): 1,
        ("debezium_metrics_SnapshotCompleted", "source"): 1,
        ("debezium_metrics_RemainingTableCount", "source"): 0,
        ("debezium_metrics_CapturedTables", "source"): 1,
        ("kafka_connect_task_error_total_record_errors", "sink"): 0,
        ("kafka_connect_connector_task_running_ratio", "sink"): None,
        ("replicator_source_retained_bytes", "source"): None,
        ("replicator_end_to_end_lag_seconds", "sink"): None,
        ("kafka_connect_sink_task_sink_record_send_total", "sink"): None,
    }
    for (name, connector), value in expected.items():
        seen = scrape.value(name, connector=connector)
        assert seen is not None, name
        assert value is None or seen == value, name
    assert scrape.value("debezium_metrics_RowsScanned", table="goods") == 300
    # The server's own transactions count, too.
    assert scrape.value("debezium_metrics_NumberOfCommittedTransactions") >= 3
    worst = scrape.value("replicator_end_to_end_lag_max_seconds", connector="sink")
    assert 0 < worst < 30
    assert scrape.value("kafka_connect_connector_task_info", connector="source", task_class="postgres") == 1
    assert scrape.value("kafka_connect_worker_task_count") == 2
    undocumented = {n for n in scrape.declared if n not in names.ALL}
    assert undocumented == set()
    sync.kill()
