"""Kinds of target databases: sessions, types, DDL and statements."""

from connectors.jdbc.dialects.base import Dialect, moved
from connectors.jdbc.dialects.connection import Connection
from connectors.jdbc.dialects.failures import DuplicateKeyError, Unrepresentable
from connectors.jdbc.dialects.model import (
    BoundColumn,
    ColumnSpec,
    ColumnType,
    KeyContext,
    Literal,
    TableName,
    TargetColumn,
    TargetTable,
)
from connectors.jdbc.dialects.registry import create_dialect, dialect_for
from connectors.jdbc.dialects.statement import Statement

__all__ = [
    "BoundColumn",
    "ColumnSpec",
    "ColumnType",
    "Connection",
    "Dialect",
    "DuplicateKeyError",
    "KeyContext",
    "Literal",
    "Statement",
    "TableName",
    "TargetColumn",
    "TargetTable",
    "Unrepresentable",
    "create_dialect",
    "dialect_for",
    "moved",
]
