"""Options of the SQL sink connectors under the names users know: ours and Confluent's, and Debezium's."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from replicator.api import ConfigDef, ConfigError, Importance, Type
from replicator.api.config import ConfigKey, key
from replicator.api.listed import WITHOUT_EFFECT, listed
from replicator.api.validators import Validator, all_of, at_least, non_empty, one_of

_HIGH, _MEDIUM, _LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW
KEY_MODES: Final = ("none", "kafka", "record_key", "record_value")


def only(*supported: str, because: str) -> Validator:
    """Values other tools know and this sink refuses, with the reason."""

    def check(name: str, value: Any) -> None:
        if value is not None and str(value).lower() not in {s.lower() for s in supported}:
            raise ConfigError(f"{name}={value} is not supported: {because}", option=name)

    return check


def _one_case(name: str, value: Any) -> None:
    """Confluent's enumerations accept all-lower and all-upper spelling only."""
    if value not in (str(value).lower(), str(value).upper()):
        raise ConfigError(f"Invalid value {value} for configuration {name}: mixed case", option=name)


def _no_values(name: str, value: Any) -> None:
    if any(value or ()):
        raise ConfigError(f"{name} is not supported: use a transform on the field instead", option=name)


_INSERT_MODE = all_of(one_of("insert", "upsert", "update", ignore_case=True), _one_case)
_ONLY_UTC = "times are written in UTC"


def _string(name: str, default: Any, doc: str, **more: Any) -> ConfigKey:
    return key(name, Type.STRING, default, doc=doc, **more)


def _flag(name: str, default: bool, doc: str, **more: Any) -> ConfigKey:
    return key(name, Type.BOOLEAN, default, doc=doc, **more)


def _number(name: str, default: int, low: int, doc: str, **more: Any) -> ConfigKey:
    return key(name, Type.INT, default, validator=at_least(low), doc=doc, **more)


CONFLUENT_KEYS: Final = (
    key("connection.url", Type.STRING, importance=_HIGH, group="Connection", doc="JDBC URL of the target."),
    _string("connection.user", None, "Account.", importance=_HIGH, group="Connection"),
    key("connection.password", Type.PASSWORD, None, importance=_HIGH, group="Connection", doc="Password."),
    _number("connection.attempts", 3, 1, "Attempts to connect when the task starts.", importance=_LOW),
    _number("connection.backoff.ms", 10000, 0, "Wait between these attempts.", importance=_LOW),
    _string("dialect.name", "", "Ignored: the URL decides.", importance=_LOW),
    _string(
        "insert.mode",
        "insert",
        "How rows are written: insert, upsert or update.",
        validator=_INSERT_MODE,
        importance=_HIGH,
    ),
    _number(
        "batch.size",
        3000,
        0,
        "Kept for compatibility: a statement takes about 1000 rows.",
        importance=_MEDIUM,
    ),
    _flag("delete.enabled", False, "Treat null values and delete events as deletes; needs record_key."),
    key("table.types", Type.LIST, ["TABLE"], doc="Kept for compatibility.", importance=_LOW),
    _string(
        "table.name.format",
        "${topic}",
        "Name of the table; may contain ${topic} and ${source.<field>}.",
        validator=non_empty,
    ),
    _string(
        "pk.mode",
        "none",
        "Where key columns come from: none, kafka, record_key, record_value.",
        validator=one_of(*KEY_MODES),
        importance=_HIGH,
    ),
    key("pk.fields", Type.LIST, [], doc="Names of key columns; empty means all fields of the key or value."),
    key("fields.whitelist", Type.LIST, [], doc="Value fields to keep beside the key; empty means all."),
    _flag("replace.null.with.default", True, "A null of a field with a default is written as that default."),
    _string("db.timezone", "UTC", "Zone of times.", validator=only("UTC", "GMT", "Z", because=_ONLY_UTC)),
    _string(
        "date.timezone",
        "DB_TIMEZONE",
        "Zone of dates.",
        validator=only("DB_TIMEZONE", "UTC", because=_ONLY_UTC),
        importance=_LOW,
    ),
    _string("date.calendar.system", "LEGACY", "Kept for compatibility: dates are proleptic Gregorian."),
    key("timestamp.fields.list", Type.LIST, [], validator=_no_values, importance=_LOW, doc="Must be empty."),
    _string("timestamp.precision.mode", "microseconds", "Kept for compatibility.", importance=_LOW),
    _string(
        "string.output.value.column.name", "record_value", "Column of whole-string values.", importance=_LOW
    ),
    _flag("auto.create", False, "Create missing tables."),
    _flag("auto.evolve", False, "Add missing columns."),
    _string(
        "quote.sql.identifiers",
        "always",
        "Whether names are quoted.",
        validator=only("always", because="unquoted names would be folded or misread"),
    ),
    _number("max.retries", 10, 0, "Retries of a batch after an error that may go away."),
    _number("retry.backoff.ms", 3000, 0, "Wait before such a retry."),
    _flag("trim.sensitive.log", False, "Keep row values out of error messages.", importance=_LOW),
)

OWN_KEYS: Final = (
    _string(
        "pk.mode",
        "none",
        "Where key columns come from: none, kafka, record_key, record_value, record_header.",
        validator=one_of(*KEY_MODES, "record_header"),
        importance=_HIGH,
    ),
    _number(
        "max.retries", -1, -1, "Retries of a batch after an error that may go away; -1: until it goes away."
    ),
    _flag("truncate.enabled", False, "Apply truncate events."),
    _string(
        "table.naming",
        "format",
        "format: table.name.format; source: by the envelope's source block, schema public keeps the table's name.",
        validator=one_of("format", "source"),
    ),
    _string(
        "policy.unrepresentable",
        "reject",
        "Values the target has no form for: reject (data error), or null (NULL or the documented substitute, counted).",
        validator=one_of("reject", "null"),
    ),
    _number("transaction.max.rows", 20000, 1, "Source transactions up to this size are applied whole."),
    _string(
        "unavailable.value.placeholder",
        "__debezium_unavailable_value",
        "What the source writes for an unchanged large value; such columns are left alone.",
    ),
)

CONFLUENT_OPTIONS: Final = ConfigDef(*CONFLUENT_KEYS)
OWN_OPTIONS: Final = ConfigDef(*OWN_KEYS).merged(CONFLUENT_OPTIONS)

_ZONES: Final = only("UTC", "GMT", "Z", because=_ONLY_UTC)

_DEFAULT_NAMES: Final = "io.debezium.sink.naming.DefaultCollectionNamingStrategy"

_DEBEZIUM: Final = ConfigDef(
    key("connection.url", Type.STRING, None, needed=True, doc="JDBC URL of the target."),
    key("connection.username", Type.STRING, None, needed=True, doc="Account."),
    key("connection.password", Type.PASSWORD, None, doc="Password."),
    _string("connection.provider", None, WITHOUT_EFFECT),
    _flag("connection.restart.on.errors", False, "Lost connections are always restored."),
    _string(
        "insert.mode",
        "insert",
        "How rows are written: insert, upsert or update.",
        validator=one_of("insert", "upsert", "update", ignore_case=True),
    ),
    _flag("delete.enabled", False, "Apply delete events and tombstones."),
    _flag("truncate.enabled", False, "Apply truncate events."),
    _string(
        "primary.key.mode",
        "none",
        "Where key columns come from.",
        validator=one_of(*KEY_MODES, "record_header"),
    ),
    key("primary.key.fields", Type.LIST, None, doc="Names of key columns; empty means all."),
    _string(
        "schema.evolution",
        "none",
        "none, validate-only (missing tables stop the connector) or basic (create tables, add columns).",
        validator=one_of("none", "validate-only", "basic"),
    ),
    _string("collection.name.format", "${topic}", "Name of the table.", validator=non_empty),
    _string("table.name.format", "${topic}", "Older name of collection.name.format."),
    key(
        "collection.naming.strategy",
        Type.CLASS,
        _DEFAULT_NAMES,
        doc="Default (dots of the topic become underscores) or Passthrough.",
    ),
    key(
        "table.naming.strategy",
        Type.CLASS,
        _DEFAULT_NAMES,
        doc="Older name of collection.naming.strategy.",
    ),
    _flag("quote.identifiers", False, "Names are always quoted."),
    _string("use.time.zone", "UTC", "Zone of times.", validator=_ZONES),
    _string("database.time_zone", "UTC", "Older name of use.time.zone.", validator=_ZONES),
    _number("batch.size", 500, 0, "Kept for compatibility: a statement takes about 1000 rows."),
    _flag("use.reduction.buffer", False, "Kept for compatibility: changes of a key are always merged."),
    key("field.include.list", Type.LIST, None, doc="Fields to keep, `field` or `topic:field`."),
    key("field.exclude.list", Type.LIST, None, doc="Fields to leave out, `field` or `topic:field`."),
    _number("flush.max.retries", 5, 0, "Retries of a batch after an error that may go away."),
    key("flush.retry.delay.ms", Type.LONG, 1000, validator=at_least(0), doc="Wait before such a retry."),
)

_LISTED: Final = (files("connectors.jdbc") / "listed.tsv").read_text(encoding="utf-8")
DEBEZIUM_OPTIONS: Final = listed(_DEBEZIUM, _LISTED, group="Connector")
"""In Debezium's order, groups and importance."""

_KEY_NAMES = {"mode": "insert.mode", "key": "pk.mode", "delete": "delete.enabled", "fields": "pk.fields"}
CONFLUENT_NAMES: Final[Mapping[str, str]] = _KEY_NAMES | {"addressable": "record_key"}
OWN_NAMES: Final[Mapping[str, str]] = _KEY_NAMES | {"addressable": "record_key,record_value,record_header"}
DEBEZIUM_NAMES: Final[Mapping[str, str]] = {
    "mode": "insert.mode",
    "key": "primary.key.mode",
    "delete": "delete.enabled",
    "fields": "primary.key.fields",
    "addressable": "record_key,record_value,record_header",
}
