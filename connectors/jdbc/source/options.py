"""Options of the SQL source, by Confluent's names; those marked OWN are ours."""

from __future__ import annotations

import re
from typing import Any, Final

from replicator.api import ConfigDef, ConfigError, Importance, Type
from replicator.api.config import ConfigKey, key
from replicator.api.option_types import invalid
from replicator.api.validators import all_of, at_least, between, matches, one_of

_HIGH, _MEDIUM, _LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW

BULK: Final = "bulk"
INCREMENTING: Final = "incrementing"
TIMESTAMP: Final = "timestamp"
TIMESTAMP_INCREMENTING: Final = "timestamp+incrementing"
MODES: Final = (BULK, INCREMENTING, TIMESTAMP, TIMESTAMP_INCREMENTING)

GRANULARITIES: Final = (
    "connect_logical",
    "micros_long",
    "micros_string",
    "micros_iso_datetime_string",
    "nanos_long",
    "nanos_string",
    "nanos_iso_datetime_string",
)
NUMERIC_MAPPINGS: Final = ("none", "precision_only", "best_fit", "best_fit_eager_double")
ISOLATIONS: Final = (
    "DEFAULT",
    "READ_UNCOMMITTED",
    "READ_COMMITTED",
    "REPEATABLE_READ",
    "SERIALIZABLE",
    "SQL_SERVER_SNAPSHOT",
)
_TABLE_TYPES: Final = (
    "TABLE",
    "VIEW",
    "MATERIALIZED VIEW",
    "PARTITIONED TABLE",
    "FOREIGN TABLE",
    "SYSTEM TABLE",
    "GLOBAL TEMPORARY",
    "LOCAL TEMPORARY",
    "ALIAS",
    "SYNONYM",
)


def _patterns(name: str, value: Any) -> None:
    for part in value or ():
        try:
            re.compile(part)
        except re.error as error:
            raise invalid(name, value, f"{part} is not a regular expression: {error}") from None


def _mappings(name: str, value: Any) -> None:
    for entry in value or ():
        pattern, colon, columns = entry.rpartition(":")
        if not colon or not pattern or not columns:
            raise invalid(name, value, f"{entry} has not the form regex:column")
        _patterns(name, [pattern])


def _types(name: str, value: Any) -> None:
    wrong = [part for part in value or () if part.upper() not in _TABLE_TYPES]
    if wrong:
        raise invalid(name, wrong[0], f"must be one of {', '.join(_TABLE_TYPES)}")


def _prefix_length(name: str, value: Any) -> None:
    if value is not None and len(value) > 249:
        raise invalid(name, value, "Value must be at most 249 characters long")


def _select(name: str, value: Any) -> None:
    text = value.reveal() if hasattr(value, "reveal") else value
    if text and not re.match(r"\s*(--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(select|with)\b", text, re.I | re.S):
        raise ConfigError(f"Only SELECT statements are supported in {name}.", option=name)


def _key(group: str, name: str, type_: Type, default: Any, doc: str, **more: Any) -> ConfigKey:
    more.setdefault("importance", _MEDIUM)
    return key(name, type_, default, group=group, doc=doc, **more)


_DB, _MODE, _CONNECTOR = "Database", "Mode", "Connector"

_DATABASE_KEYS: Final = (
    _key(_DB, "connection.url", Type.STRING, "", "JDBC URL of the database.", importance=_HIGH),
    _key(_DB, "connection.user", Type.STRING, None, "Account.", importance=_HIGH),
    _key(_DB, "connection.password", Type.PASSWORD, None, "Password.", importance=_HIGH),
    _key(_DB, "connection.attempts", Type.INT, 3, "Attempts to connect.", importance=_LOW,
         validator=at_least(1)),
    _key(_DB, "connection.backoff.ms", Type.LONG, 10000, "Wait between these attempts.", importance=_LOW,
         validator=at_least(0)),
    _key(_DB, "catalog.pattern", Type.STRING, None,
         "LIKE pattern of catalogs (MySQL: databases); not set: the URL's, or all where it names none."),
    _key(_DB, "schema.pattern", Type.STRING, None, "LIKE pattern of schemas; not set: all.",
         importance=_HIGH),
    _key(_DB, "table.whitelist", Type.LIST, [], "Tables to read, bare or full names; empty: all."),
    _key(_DB, "table.blacklist", Type.LIST, [], "Tables not to read."),
    _key(_DB, "table.include.list", Type.LIST, [], "Regular expressions of full names to read.",
         validator=_patterns),
    _key(_DB, "table.exclude.list", Type.LIST, [],
         "Regular expressions of full names not to read; needs table.include.list.", validator=_patterns),
    _key(_DB, "numeric.precision.mapping", Type.BOOLEAN, False,
         "Deprecated: the same as numeric.mapping=precision_only.", importance=_LOW),
    _key(_DB, "numeric.mapping", Type.STRING, None,
         "Which NUMERIC values become integers or floating point: none, precision_only, best_fit or "
         "best_fit_eager_double.", validator=one_of(*NUMERIC_MAPPINGS, ignore_case=True), importance=_LOW),
    _key(_DB, "dialect.name", Type.STRING, "", "Ignored: the URL decides.", importance=_LOW),
    _key(_DB, "date.calendar.system", Type.STRING, "LEGACY",
         "Kept for compatibility: dates are proleptic Gregorian.", importance=_LOW,
         validator=one_of("LEGACY", "PROLEPTIC_GREGORIAN")),
)  # fmt: skip

_MODE_KEYS: Final = (
    _key(_MODE, "mode", Type.STRING, "", "How rows are found: bulk, incrementing, timestamp or "
         "timestamp+incrementing.", importance=_HIGH, validator=one_of("", *MODES)),
    _key(_MODE, "incrementing.column.name", Type.STRING, "",
         "Column that grows with each new row; empty: the table's auto-increment column."),
    _key(_MODE, "timestamp.column.name", Type.LIST, [],
         "Columns with the time of a row's last change; the first that is not null counts."),
    _key(_MODE, "timestamp.columns.mapping", Type.LIST, [], "The same per table: regex:[column1|column2].",
         validator=_mappings),
    _key(_MODE, "incrementing.column.mapping", Type.LIST, [], "The same per table: regex:column.",
         validator=_mappings),
    _key(_MODE, "timestamp.initial", Type.LONG, None,
         "Where timestamp modes begin, in milliseconds since the epoch; -1: now; not set: at the first row.",
         importance=_LOW),
    _key(_MODE, "validate.non.null", Type.BOOLEAN, True,
         "Refuse tables whose incrementing or timestamp columns allow NULL.", importance=_LOW),
    _key(_MODE, "query", Type.STRING, "", "SELECT to run instead of reading tables.", validator=_select),
    _key(_MODE, "query.masked", Type.PASSWORD, None, "The same, shown nowhere.", validator=_select),
    _key(_MODE, "query.wrapped", Type.BOOLEAN, True,
         "OWN. Run the query as a derived table, so that it may have WHERE, GROUP BY and UNION; false: the "
         "conditions are appended to it.", importance=_LOW),
    _key(_MODE, "query.suffix", Type.STRING, "", "Text at the end of every query, for example LIMIT 1000.",
         importance=_LOW),
    _key(_MODE, "query.retry.attempts", Type.INT, -1,
         "How often a query that failed is tried again; -1: until it works.", importance=_LOW,
         validator=at_least(-1)),
    _key(_MODE, "quote.sql.identifiers", Type.STRING, "always", "Whether names are quoted: always, never.",
         validator=one_of("always", "never", ignore_case=True)),
    _key(_MODE, "transaction.isolation.mode", Type.STRING, "DEFAULT", "Isolation level of queries.",
         importance=_LOW, validator=one_of(*ISOLATIONS, ignore_case=True)),
)  # fmt: skip

_CONNECTOR_KEYS: Final = (
    _key(_CONNECTOR, "table.types", Type.LIST, ["TABLE"], "Kinds of relations to read.", importance=_LOW,
         validator=_types),
    _key(_CONNECTOR, "poll.interval.ms", Type.INT, 5000, "Time between two queries of a table.",
         importance=_HIGH, validator=at_least(0)),
    _key(_CONNECTOR, "batch.max.rows", Type.INT, 1000, "Rows fetched and handed on at a time.",
         importance=_LOW, validator=at_least(1)),
    _key(_CONNECTOR, "max.buffer.size", Type.INT, 0, "Kept for compatibility: batch.max.rows are buffered.",
         importance=_LOW, validator=at_least(0)),
    _key(_CONNECTOR, "poll.linger.ms", Type.LONG, 5000, "Kept for compatibility.", importance=_LOW,
         validator=at_least(0)),
    _key(_CONNECTOR, "table.poll.interval.ms", Type.LONG, 60000, "Time between two looks for new tables.",
         importance=_LOW, validator=at_least(1)),
    _key(_CONNECTOR, "table.monitoring.startup.polling.limit.ms", Type.LONG, 10000,
         "How long the start waits for the first list of tables.", importance=_LOW, validator=at_least(0)),
    _key(_CONNECTOR, "topic.prefix", Type.STRING, "",
         "Put before the table's name to form the topic; the whole topic of a query.", importance=_HIGH,
         validator=all_of(matches(r"[a-zA-Z0-9._\-]*"), _prefix_length)),
    _key(_CONNECTOR, "timestamp.delay.interval.ms", Type.LONG, 0,
         "How old rows must be in timestamp modes, so that transactions begun earlier can commit.",
         importance=_HIGH),
    _key(_CONNECTOR, "db.timezone", Type.STRING, "UTC", "Zone of the database's times without a zone."),
    _key(_CONNECTOR, "timestamp.granularity", Type.STRING, "connect_logical",
         f"Form of timestamps: {', '.join(GRANULARITIES)}.", importance=_LOW,
         validator=one_of(*GRANULARITIES, ignore_case=True)),
    _key(_CONNECTOR, "engine.shutdown.timeout", Type.LONG, 10000, "Kept for compatibility.", importance=_LOW,
         validator=between(0, 30000)),
)  # fmt: skip


def _unsupported(default: str) -> ConfigKey:
    return _key(
        _CONNECTOR,
        "unsupported.types",
        Type.STRING,
        default,
        "OWN. Columns Connect has no type for (arrays, intervals ...): text (as the database prints them), "
        "drop (left out with a warning) or fail.",
        importance=_LOW,
        validator=one_of("text", "drop", "fail"),
    )


CONFLUENT_OPTIONS: Final = ConfigDef(*_DATABASE_KEYS, *_MODE_KEYS, *_CONNECTOR_KEYS, _unsupported("drop"))
OWN_OPTIONS: Final = ConfigDef(*_DATABASE_KEYS, *_MODE_KEYS, *_CONNECTOR_KEYS, _unsupported("text"))

TABLES: Final = "tables"
TABLES_FETCHED: Final = "tables.fetched"
