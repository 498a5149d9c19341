"""Metrics that Debezium has, under the names its usual JMX exporter gives them.

A log reader publishes them as the fact `debezium`: `{"plugin", "server", context: {attribute: value}}`.
Numbers and truth values become samples; a map becomes one sample a member; texts stay out, except
those of `TEXTS`, which are labels of an info metric. Values of rows never come here (INV-9).
"""

from __future__ import annotations

from typing import Final

from replicator.metrics.metric import GAUGE, UNTYPED, Group, Metric

PREFIX: Final = "debezium_metrics_"
LABELS: Final = ("plugin", "name", "context", "connector", "task")
CONTEXTS: Final = ("snapshot", "streaming", "schema-history")


def _metrics(attributes: dict[str, str]) -> tuple[Metric, ...]:
    found = []
    for name, text in attributes.items():
        counts = name.startswith(("TotalNumberOf", "NumberOf")) and name != "NumberOfUnchangedEventsSkipped"
        kind = UNTYPED if counts else GAUGE
        labels = (*LABELS, MAPS[name]) if name in MAPS else LABELS
        found.append(Metric(PREFIX + name, kind, labels, text, name, name))
    return tuple(found)


MAPS: Final = {
    "RowsScanned": "table",
    "TableChunkCounts": "table",
    "TableChunksCompletedCounts": "table",
    "SourceEventPosition": "key",
}
"""Attributes that are maps, and the label that tells their members apart."""

TEXTS: Final = ("Status", "BinlogFilename")
"""Attributes with few different texts; labels of the info metric."""

COMMON: Final = Group(
    "Debezium, snapshot and streaming",
    "The attribute LastEvent may hold keys of rows and is not exposed.",
    _metrics(
        {
            "MilliSecondsSinceLastEvent": "Time since the last event; -1 before the first.",
            "TotalNumberOfEventsSeen": "Events read from the source.",
            "NumberOfEventsFiltered": "Events left out by the options of the connector.",
            "CapturedTables": "Number of captured tables.",
            "QueueTotalCapacity": "Records the queue between reader and task may hold.",
            "QueueRemainingCapacity": "Records it has room for.",
            "MaxQueueSizeInBytes": "Bytes it may hold; 0: not limited.",
            "CurrentQueueSizeInBytes": "Bytes in it.",
        }
    ),
)
SNAPSHOT: Final = Group(
    "Debezium, snapshot",
    "Truth values are 0 and 1. ChunkId, ChunkFrom, ChunkTo, TableFrom and TableTo hold keys and are not exposed.",
    _metrics(
        {
            "TotalTableCount": "Tables to copy.",
            "RemainingTableCount": "Tables still to be copied.",
            "SnapshotRunning": "Whether the copy runs.",
            "SnapshotPaused": "Whether the copy is paused.",
            "SnapshotAborted": "Whether the copy was broken off.",
            "SnapshotCompleted": "Whether the copy is complete.",
            "SnapshotSkipped": "Whether there was nothing to copy.",
            "SnapshotDurationInSeconds": "How long the copy takes or took.",
            "SnapshotPausedDurationInSeconds": "How long it was paused.",
            "RowsScanned": "Rows copied, by table.",
            "TableChunkCounts": "Chunks of a table, by table.",
            "TableChunksCompletedCounts": "Chunks of a table that are copied, by table.",
            "HoldingGlobalLock": "Whether a global lock is held (MySQL).",
        }
    ),
)
STREAMING: Final = Group(
    "Debezium, streaming",
    "Minimum, maximum, mean and percentiles of MilliSecondsBehindSource are over the last thousand samples,"
    " two a second.",
    _metrics(
        {
            "TotalNumberOfCreateEventsSeen": "Inserts read.",
            "TotalNumberOfUpdateEventsSeen": "Updates read.",
            "TotalNumberOfDeleteEventsSeen": "Deletes read.",
            "NumberOfErroneousEvents": "Events that could not be processed.",
            "NumberOfUnchangedEventsSkipped": "Updates that changed no captured column; -1: not looked for.",
            "Connected": "Whether the connection to the source's log stands.",
            "MilliSecondsBehindSource": "Time from the commit at the source to its reading here.",
            "MilliSecondsBehindSourceMinValue": "Minimum of it.",
            "MilliSecondsBehindSourceMaxValue": "Maximum of it.",
            "MilliSecondsBehindSourceAverageValue": "Mean of it.",
            "MilliSecondsBehindSourceP50": "Median of it.",
            "MilliSecondsBehindSourceP95": "95th percentile of it.",
            "MilliSecondsBehindSourceP99": "99th percentile of it.",
            "NumberOfCommittedTransactions": "Transactions read to their end.",
            "SourceEventPosition": "Position of the newest event, as numbers by key.",
            "LastTransactionId": "Number of the last transaction, where it is a number.",
        }
    ),
)
BINLOG: Final = Group(
    "Debezium, streaming of binlogs",
    "MySQL and MariaDB. BinlogFilename is a label of debezium_metrics_info; GtidSet is not exposed.",
    _metrics(
        {
            "BinlogPosition": "Position in the binlog file.",
            "IsGtidModeEnabled": "Whether positions are GTIDs.",
            "NumberOfSkippedEvents": "Events of kinds that mean nothing here.",
            "NumberOfDisconnects": "Connections lost.",
            "NumberOfRolledBackTransactions": "Transactions that were rolled back.",
            "NumberOfNotWellFormedTransactions": "Transactions without a proper end.",
            "NumberOfLargeTransactions": "Transactions that did not fit the look-ahead buffer.",
        }
    ),
)
HISTORY: Final = Group(
    "Debezium, schema history",
    "Connectors with a schema history. Status is a label of debezium_metrics_info;"
    " the texts of changes are not exposed.",
    _metrics(
        {
            "RecoveryStartTime": "When recovery began, in milliseconds since the epoch; -1: never.",
            "ChangesRecovered": "Changes read in recovery.",
            "ChangesApplied": "Changes applied in recovery and since.",
            "MilliSecondsSinceLastRecoveredChange": "Time since a change was recovered.",
            "MilliSecondsSinceLastAppliedChange": "Time since a change was applied.",
        }
    ),
)
INFO: Final = Metric(
    "debezium_metrics_info",
    GAUGE,
    (*LABELS, "Status", "BinlogFilename"),
    "Texts, as labels; those that a connector lacks are left out. The value is 1.",
    "Status, BinlogFilename",
)

DEBEZIUM_GROUPS: Final = (
    COMMON, SNAPSHOT, STREAMING, BINLOG, HISTORY, Group("Debezium, texts", "", (INFO,)),
)  # fmt: skip
ATTRIBUTES: Final = {
    metric.stat: metric for group in DEBEZIUM_GROUPS for metric in group.metrics if metric.stat
}
