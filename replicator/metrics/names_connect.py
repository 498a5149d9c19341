"""Metrics that Kafka Connect has, under the names its usual JMX exporter gives them."""

from __future__ import annotations

from typing import Final

from replicator.metrics.metric import GAUGE, TASK_LABELS, Group, Metric, attribute


def _group(title: str, prefix: str, text: str, attributes: dict[str, str], labels: tuple[str, ...]) -> Group:
    return Group(title, text, tuple(attribute(prefix, n, h, labels) for n, h in attributes.items()))


WORKER: Final = _group(
    "connect-worker-metrics",
    "kafka_connect_worker_",
    "The worker that is asked.",
    {
        "connector-count": "Connectors of this worker.",
        "task-count": "Tasks of this worker.",
        "connector-startup-attempts-total": "Starts of connector instances.",
        "connector-startup-success-total": "Starts of connector instances that succeeded.",
        "connector-startup-success-percentage": "Share of them, from 0 to 1.",
        "connector-startup-failure-total": "Starts of connector instances that failed.",
        "connector-startup-failure-percentage": "Share of them, from 0 to 1.",
        "task-startup-attempts-total": "Starts of tasks.",
        "task-startup-success-total": "Starts of tasks that succeeded.",
        "task-startup-success-percentage": "Share of them, from 0 to 1.",
        "task-startup-failure-total": "Starts of tasks that failed.",
        "task-startup-failure-percentage": "Share of them, from 0 to 1.",
    },
    (),
)

WORKER_CONNECTOR: Final = Group(
    "connect-worker-metrics, by connector",
    "Tasks of each connector on this worker, by state.",
    tuple(
        Metric(
            f"kafka_connect_worker_connector_{state}_task_count",
            GAUGE,
            ("connector",),
            f"Tasks of the connector{'' if state == 'total' else ' that are ' + state}.",
            f"connector-{state}-task-count",
            state,
        )
        for state in ("total", "running", "paused", "failed", "unassigned", "destroyed", "restarting")
    ),
)

REBALANCE: Final = _group(
    "connect-worker-rebalance-metrics",
    "kafka_connect_worker_rebalance_",
    "Distributed workers only. The texts connect-protocol and leader-name are labels of"
    " `kafka_connect_worker_rebalance_info`.",
    {
        "epoch": "Generation of the group.",
        "completed-rebalances-total": "Rebalances since the worker started.",
        "rebalancing": "1 while the group is rebalancing.",
        "rebalance-max-time-ms": "Longest of the recent rebalances.",
        "rebalance-avg-time-ms": "Mean of the recent rebalances.",
        "time-since-last-rebalance-ms": "Time since the last one.",
    },
    (),
)
REBALANCE_INFO: Final = Metric(
    "kafka_connect_worker_rebalance_info",
    GAUGE,
    ("connect_protocol", "leader_name"),
    "Protocol and leader, as labels; the value is 1.",
    "connect-protocol, leader-name",
)
COORDINATOR: Final = _group(
    "connect-coordinator-metrics",
    "kafka_connect_coordinator_",
    "Distributed workers only.",
    {
        "assigned-connectors": "Connector instances assigned to this worker.",
        "assigned-tasks": "Tasks assigned to this worker.",
        "last-heartbeat-seconds-ago": "Time since the group coordinator last answered.",
    },
    (),
)

CONNECTOR_STATUS: Final = Metric(
    "kafka_connect_connector_status",
    GAUGE,
    ("connector", "status"),
    "State of a connector, as a label in lower case; the value is 1.",
    "status",
)
CONNECTOR_INFO: Final = Metric(
    "kafka_connect_connector_info",
    GAUGE,
    ("connector", "connector_class", "connector_type", "connector_version"),
    "Class, kind and version of a connector, as labels; the value is 1.",
    "connector-class, connector-type, connector-version",
)
CONNECTOR: Final = Group("connector-metrics", "Connector instances.", (CONNECTOR_STATUS, CONNECTOR_INFO))

TASK_STATUS: Final = Metric(
    "kafka_connect_connector_task_status",
    GAUGE,
    ("connector", "task", "status"),
    "State of a task, as a label in lower case; the value is 1.",
    "status",
)
TASK_INFO: Final = Metric(
    "kafka_connect_connector_task_info",
    GAUGE,
    (
        *TASK_LABELS,
        "connector_class", "connector_type", "connector_version", "task_class", "task_version",
        "key_converter_class", "key_converter_version", "value_converter_class", "value_converter_version",
        "header_converter_class", "header_converter_version",
    ),
    "Classes and versions of a task and its converters, as labels; the value is 1.",
    "connector-class ... header-converter-version",
)  # fmt: skip
TASK: Final = Group(
    "connector-task-metrics",
    "All tasks. Times, sizes and percentages are over the last 30 to 60 seconds, as Connect's are.",
    (
        TASK_STATUS,
        TASK_INFO,
        *_group(
            "",
            "kafka_connect_connector_task_",
            "",
            {
                "running-ratio": "Share of its life that the task was running.",
                "pause-ratio": "Share of its life that the task was paused.",
                "offset-commit-max-time-ms": "Longest offset commit.",
                "offset-commit-avg-time-ms": "Mean time of offset commits.",
                "offset-commit-success-percentage": "Share of offset commits that succeeded, from 0 to 1.",
                "offset-commit-failure-percentage": "Share of offset commits that failed, from 0 to 1.",
                "batch-size-max": "Records in the largest batch.",
                "batch-size-avg": "Mean number of records in a batch.",
            },
            TASK_LABELS,
        ).metrics,
    ),
)

SOURCE: Final = _group(
    "source-task-metrics",
    "kafka_connect_source_task_",
    "Tasks of source connectors.",
    {
        "source-record-poll-rate": "Records polled per second, before transformations.",
        "source-record-poll-total": "Records polled, before transformations.",
        "source-record-write-rate": "Records written to topics per second, after transformations.",
        "source-record-write-total": "Records written to topics, after transformations.",
        "poll-batch-max-time-ms": "Longest poll that found records.",
        "poll-batch-avg-time-ms": "Mean time of polls that found records.",
        "source-record-active-count": "Records polled and not yet handed to the broker.",
        "source-record-active-count-max": "Most of them at a time.",
        "source-record-active-count-avg": "Mean of them.",
        "transaction-size-min": "Records in the smallest producer transaction (exactly-once only).",
        "transaction-size-max": "Records in the largest producer transaction (exactly-once only).",
        "transaction-size-avg": "Mean number of records in producer transactions (exactly-once only).",
    },
    TASK_LABELS,
)

SINK: Final = _group(
    "sink-task-metrics",
    "kafka_connect_sink_task_",
    "Tasks of sink connectors. Connect documents sink-record-lag-max and never emits it; nor is it here:"
    " see replicator_lag_seconds.",
    {
        "sink-record-read-rate": "Records read from topics per second, before transformations.",
        "sink-record-read-total": "Records read from topics, before transformations.",
        "sink-record-send-rate": "Records put into the task per second, after transformations.",
        "sink-record-send-total": "Records put into the task, after transformations.",
        "partition-count": "Partitions this task owns.",
        "offset-commit-seq-no": "Number of the newest offset commit.",
        "offset-commit-completion-rate": "Offset commits that completed, per second.",
        "offset-commit-completion-total": "Offset commits that completed.",
        "offset-commit-skip-rate": "Offset commits put off because dead letters were not safe yet, per second.",
        "offset-commit-skip-total": "Offset commits put off because dead letters were not safe yet.",
        "put-batch-max-time-ms": "Longest put.",
        "put-batch-avg-time-ms": "Mean time of puts.",
        "sink-record-active-count": "Records put and not yet committed.",
        "sink-record-active-count-max": "Most of them at a time.",
        "sink-record-active-count-avg": "Mean of them.",
    },
    TASK_LABELS,
)

ERRORS: Final = _group(
    "task-error-metrics",
    "kafka_connect_task_error_",
    "What became of records with errors; counts start anew when a task is restarted, as Connect's do.",
    {
        "total-record-failures": "Attempts at an operation on a record that failed.",
        "total-record-errors": "Records for which an operation failed for good.",
        "total-records-skipped": "Records skipped because errors.tolerance is all.",
        "total-retries": "Operations on records that were tried again.",
        "total-errors-logged": "Errors written to the log (errors.log.enable).",
        "deadletterqueue-produce-requests": "Records handed to the dead letter queue.",
        "deadletterqueue-produce-failures": "Records the dead letter queue did not take.",
        "last-error-timestamp": "When a record last failed, in milliseconds since the epoch; 0: never.",
    },
    TASK_LABELS,
)

TRANSFORM_INFO: Final = Metric(
    "kafka_connect_connector_transform_info",
    GAUGE,
    (*TASK_LABELS, "transform", "transform_class", "transform_version"),
    "A transformation of a task, as labels; the value is 1.",
    "transform-class, transform-version",
)
PREDICATE_INFO: Final = Metric(
    "kafka_connect_connector_predicate_info",
    GAUGE,
    (*TASK_LABELS, "predicate", "predicate_class", "predicate_version"),
    "A predicate of a task, as labels; the value is 1.",
    "predicate-class, predicate-version",
)
PLUGINS: Final = Group(
    "connector-transform-metrics, connector-predicate-metrics",
    "Which plugins a task uses.",
    (TRANSFORM_INFO, PREDICATE_INFO),
)

CONNECT_GROUPS: Final = (
    WORKER,
    WORKER_CONNECTOR,
    REBALANCE._replace(metrics=(*REBALANCE.metrics, REBALANCE_INFO)),
    COORDINATOR,
    CONNECTOR,
    TASK,
    SOURCE,
    SINK,
    ERRORS,
    PLUGINS,
)
