"""Names of all metrics, once.

Those that Kafka Connect has too carry the names its usual JMX exporter gives them,
`kafka_connect_<group>_<attribute>`; our own start with `replicator_`. Counters get `_total` added.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Figure(NamedTuple):
    """A metric taken from one figure of a task's statistics.

    Attributes:
        stat: name of the figure.
        name: name of the metric.
        counter: whether it only grows.
        help: what it says.
    """

    stat: str
    name: str
    counter: bool
    help: str


WORKER_CONNECTORS: Final = "kafka_connect_worker_connector_count"
WORKER_TASKS: Final = "kafka_connect_worker_task_count"
CONNECTOR_STATUS: Final = "kafka_connect_connector_status"
CONNECTOR_TASKS: Final = "kafka_connect_worker_connector_task_count"
TASK_STATUS: Final = "kafka_connect_connector_task_status"

SOURCE_FIGURES: Final = (
    Figure(
        "records_in",
        "kafka_connect_source_task_source_record_poll",
        True,
        "Records polled from the source, before transformations.",
    ),
    Figure(
        "records_out",
        "kafka_connect_source_task_source_record_write",
        True,
        "Records written to topics, after transformations.",
    ),
    Figure(
        "records_in_per_second",
        "kafka_connect_source_task_source_record_poll_rate",
        False,
        "Records polled per second.",
    ),
    Figure(
        "records_out_per_second",
        "kafka_connect_source_task_source_record_write_rate",
        False,
        "Records written per second.",
    ),
)
SINK_FIGURES: Final = (
    Figure(
        "records_in",
        "kafka_connect_sink_task_sink_record_read",
        True,
        "Records read from topics, before transformations.",
    ),
    Figure(
        "records_out",
        "kafka_connect_sink_task_sink_record_send",
        True,
        "Records handed to the sink, after transformations.",
    ),
    Figure(
        "records_in_per_second",
        "kafka_connect_sink_task_sink_record_read_rate",
        False,
        "Records read per second.",
    ),
    Figure(
        "records_out_per_second",
        "kafka_connect_sink_task_sink_record_send_rate",
        False,
        "Records handed to the sink per second.",
    ),
)
TASK_FIGURES: Final = (
    Figure("batches", "replicator_task_batches", True, "Batches polled or delivered."),
    Figure("last_batch", "replicator_task_last_batch_size", False, "Records in the newest batch."),
    Figure(
        "commits",
        "kafka_connect_connector_task_offset_commit_success",
        True,
        "Offset commits that succeeded.",
    ),
    Figure(
        "commit_failures",
        "kafka_connect_connector_task_offset_commit_failure",
        True,
        "Offset commits that failed.",
    ),
    Figure("retries", "kafka_connect_task_error_retries", True, "Operations that were tried again."),
)

LAG: Final = "replicator_lag_seconds"
RETAINED: Final = "replicator_source_retained_bytes"
TABLE_ROWS: Final = "replicator_table_rows"
TABLE_ROWS_EXPECTED: Final = "replicator_table_rows_expected"
TABLE_STOPPED: Final = "replicator_table_stopped"
VALUES_LOST: Final = "replicator_values_lost"
IDLE: Final = "replicator_task_idle_seconds"
GAUGE_PREFIX: Final = "replicator_"
