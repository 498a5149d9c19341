"""Names of all metrics, once: what /metrics shows, docs/metrics.md lists, and board and alert rules may use.

Those of Kafka Connect and Debezium carry the names that the usual JMX exporter rules give them, so
that boards made for those work here; our own start with `replicator_`.
"""

from __future__ import annotations

from typing import Final

from replicator.metrics.metric import COUNTER, GAUGE, HISTOGRAM, TASK_LABELS, Group, Metric
from replicator.metrics.names_connect import CONNECT_GROUPS
from replicator.metrics.names_debezium import DEBEZIUM_GROUPS

_TABLE: Final = (*TASK_LABELS, "table")

LAG: Final = Metric(
    "replicator_lag_seconds",
    GAUGE,
    TASK_LABELS,
    "Age of the newest change that passed: at a source since its commit, at a sink since it came into the topic;"
    " 0 when nothing waits.",
    stat="lag_ms",
)
END_TO_END: Final = Metric(
    "replicator_end_to_end_lag_seconds",
    GAUGE,
    TASK_LABELS,
    "From the commit at the source to the commit in the target, for the newest change applied; 0 when nothing"
    " waits.",
    stat="end_to_end_ms",
)
END_TO_END_MAX: Final = Metric(
    "replicator_end_to_end_lag_max_seconds",
    GAUGE,
    TASK_LABELS,
    "The same for the oldest change of a batch, the worst of the last 30 to 60 seconds.",
    stat="end_to_end_max_ms",
)
END_TO_END_TIMES: Final = Metric(
    "replicator_end_to_end_seconds",
    HISTOGRAM,
    TASK_LABELS,
    "The same for the oldest change of each batch: one observation a batch.",
    stat="end_to_end_times",
)
RETAINED: Final = Metric(
    "replicator_source_retained_bytes", GAUGE, TASK_LABELS, "Log the source keeps for this task (its slot)."
)
TABLE_ROWS: Final = Metric(
    "replicator_table_rows_total",
    COUNTER,
    _TABLE,
    "Rows of a table: copied (source), or changes applied (sink).",
)
TABLE_ROWS_EXPECTED: Final = Metric(
    "replicator_table_rows_expected", GAUGE, _TABLE, "Rows the copy of a table expects."
)
TABLE_STOPPED: Final = Metric(
    "replicator_table_stopped", GAUGE, _TABLE, "1 for a table whose changes are not applied any more."
)
VALUES_LOST: Final = Metric(
    "replicator_values_lost_total",
    COUNTER,
    (*TASK_LABELS, "column"),
    "Values the target cannot hold, replaced as the policy says.",
)
IDLE: Final = Metric(
    "replicator_task_idle_seconds", GAUGE, TASK_LABELS, "Time since the task last moved a record."
)
BATCHES: Final = Metric(
    "replicator_task_batches_total", COUNTER, TASK_LABELS, "Batches polled or delivered.", stat="batches"
)
LAST_BATCH: Final = Metric(
    "replicator_task_last_batch_size", GAUGE, TASK_LABELS, "Records in the newest batch.", stat="last_batch"
)
COMMITS: Final = Metric(
    "replicator_task_commits_total", COUNTER, TASK_LABELS, "Offset commits that succeeded.", stat="commits"
)
COMMIT_FAILURES: Final = Metric(
    "replicator_task_commit_failures_total",
    COUNTER,
    TASK_LABELS,
    "Offset commits that failed.",
    stat="commit_failures",
)
BATCH_RETRIES: Final = Metric(
    "replicator_task_retries_total",
    COUNTER,
    TASK_LABELS,
    "Whole batches that were tried again (polls, puts, appends).",
    stat="retries",
)
WARNINGS: Final = Metric(
    "replicator_task_warnings",
    GAUGE,
    TASK_LABELS,
    "Warnings the task shows at present; status tells their text.",
)
BUILD: Final = Metric("replicator_build_info", GAUGE, ("version",), "The running version; the value is 1.")
CPU: Final = Metric("process_cpu_seconds_total", COUNTER, (), "CPU time of the process.")
MEMORY: Final = Metric("process_resident_memory_bytes", GAUGE, (), "Memory of the process.")
STARTED: Final = Metric("process_start_time_seconds", GAUGE, (), "When the process started, since the epoch.")

TASK_FIGURES: Final = (BATCHES, LAST_BATCH, COMMITS, COMMIT_FAILURES, BATCH_RETRIES)
"""Metrics taken from the figure of a task's statistics that `stat` names."""

GAUGE_PREFIX: Final = "replicator_"
"""In front of numbers that connectors publish under names of their own (`context.gauge`)."""

OWN: Final = Group(
    "Our own",
    "A connector may publish further numbers; they appear as `replicator_<name>` with the task's labels.",
    (
        LAG, END_TO_END, END_TO_END_MAX, END_TO_END_TIMES, RETAINED, TABLE_ROWS, TABLE_ROWS_EXPECTED,
        TABLE_STOPPED, VALUES_LOST, IDLE, *TASK_FIGURES, WARNINGS,
    ),
)  # fmt: skip
PROCESS: Final = Group("The process", "", (BUILD, CPU, MEMORY, STARTED))

GROUPS: Final = (OWN, *CONNECT_GROUPS, *DEBEZIUM_GROUPS, PROCESS)
ALL: Final = {metric.name: metric for group in GROUPS for metric in group.metrics}
