"""All workloads."""

from __future__ import annotations

from tests.differential.debezium.workloads_defaults import DEFAULTS
from tests.differential.debezium.workloads_smt import OUTBOX, SMT
from tests.differential.debezium.workloads_stream import (
    BEATS,
    BIG,
    DDL,
    ONLY,
    OPERATIONS,
    PARTITIONS,
    SNAPSHOTS,
    TOAST,
)
from tests.differential.debezium.workloads_tables import COLUMNS, KEYS
from tests.differential.debezium.workloads_types import EXTENSIONS, EXTREMES, TIMES, TYPES

WORKLOADS = (
    KEYS, COLUMNS, TYPES, EXTENSIONS, TIMES, EXTREMES, DEFAULTS, TOAST, OPERATIONS, BEATS, DDL, PARTITIONS, BIG,
    SNAPSHOTS, ONLY, SMT, OUTBOX,
)  # fmt: skip
