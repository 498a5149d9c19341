"""Settings of the SQL sink: one frozen form, whatever names the options had.

`options.py` declares the options of each connector; the functions here check them together and
bring them into `SinkSettings`, the only thing the task, plan and writer know. Pure; used by the
connector (validation) and once at the start of each task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from replicator.api import ConfigError, Secret
from replicator.api.logical import UNAVAILABLE_VALUE

NO_KEY: Final = "none"
KAFKA: Final = "kafka"
RECORD_KEY: Final = "record_key"
RECORD_VALUE: Final = "record_value"
RECORD_HEADER: Final = "record_header"

INSERT: Final = "insert"
UPSERT: Final = "upsert"
UPDATE: Final = "update"

KAFKA_COLUMNS: Final = ("__connect_topic", "__connect_partition", "__connect_offset")


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """What the sink shall do.

    Attributes:
        url: where the target is.
        user: account, if the URL does not name one.
        password: its password.
        properties: further connection options, prefix removed.
        connection_attempts: attempts to connect at start.
        connection_backoff_ms: wait between them.
        insert_mode: `insert`, `upsert` or `update`.
        delete_enabled: whether deletes and tombstones are applied.
        truncate_enabled: whether truncates are applied.
        pk_mode: where key columns come from.
        pk_fields: names of key columns; empty means all fields.
        include: value fields that are kept; empty means all. Entries may be `topic:field`.
        exclude: value fields that are left out.
        auto_create: create missing tables.
        auto_evolve: add missing columns.
        validate_only: missing tables stop the connector at start.
        table_format: table name with `${topic}` and `${source.<field>}`.
        table_naming: `format`, or `source` (from the envelope's source block).
        dots_to_underscores: dots of the topic are no qualifiers.
        null_becomes_default: a null takes its schema's default: `always`, `required` or `never`.
        string_column: column of whole-string record values.
        max_rows: most rows of one statement.
        max_retries: retries of one batch after retriable errors; -1 for no limit.
        retry_backoff_ms: wait before a retry.
        unrepresentable: `reject` or `null`.
        transaction_max_rows: largest source transaction that is kept whole.
        whole_transactions: whether source transactions are kept whole at all (one task).
        placeholder: what stands for an unchanged TOAST value.
        hide_values: keep row data out of error messages.
        refused_stops_table: a record that is refused and not tolerated stops its table, not the task (INV-11).
    """

    url: str
    user: str | None = None
    password: Secret | None = None
    properties: Mapping[str, str]
    connection_attempts: int = 3
    connection_backoff_ms: int = 10000
    insert_mode: str = INSERT
    delete_enabled: bool = False
    truncate_enabled: bool = False
    pk_mode: str = NO_KEY
    pk_fields: tuple[str, ...] = ()
    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    auto_create: bool = False
    auto_evolve: bool = False
    validate_only: bool = False
    table_format: str = "${topic}"
    table_naming: str = "format"
    dots_to_underscores: bool = False
    null_becomes_default: str = "never"
    string_column: str = "record_value"
    max_rows: int = 1000
    max_retries: int = -1
    retry_backoff_ms: int = 3000
    unrepresentable: str = "reject"
    transaction_max_rows: int = 20000
    whole_transactions: bool = True
    placeholder: str = UNAVAILABLE_VALUE
    hide_values: bool = False
    refused_stops_table: bool = False


Report = Callable[[str, str], None]
"""Called with (option name, message) for each thing that is wrong."""


def check_together(names: Mapping[str, str], parsed: Mapping[str, Any], report: Report) -> None:
    """Report options that do not go together; `names` maps `mode`, `key`, `delete`, `fields` to option names."""
    mode, key = parsed.get(names["mode"]), parsed.get(names["key"])
    addressable = names["addressable"].split(",")
    if parsed.get(names["delete"]) and key not in addressable:
        report(names["delete"], f"Deletes need {names['key']} to be one of: {', '.join(addressable)}")
    if str(mode).lower() in (UPSERT, UPDATE) and key == NO_KEY:
        report(names["mode"], f"{names['mode']}={mode} needs a key: {names['key']} must not be none")
    fields = parsed.get(names["fields"]) or []
    if key == KAFKA and fields and len(fields) != len(KAFKA_COLUMNS):
        report(names["fields"], f"{names['key']}=kafka needs exactly three names, or none")
    url = parsed.get("connection.url")
    if url is not None and not str(url).strip():
        report("connection.url", "The URL of the target database is missing")


def raise_first(option: str, message: str) -> None:
    """A `Report` for the start of a task: the first finding is an error.

    Raises:
        ConfigError: always.
    """
    raise ConfigError(message, option=option)


def own_settings(parsed: Mapping[str, Any], raw: Mapping[str, Any]) -> SinkSettings:
    """Settings from our own and Confluent's option names."""
    return SinkSettings(
        url=parsed["connection.url"],
        user=parsed["connection.user"],
        password=parsed["connection.password"],
        properties=_driver_properties(parsed, raw),
        connection_attempts=parsed["connection.attempts"],
        connection_backoff_ms=parsed["connection.backoff.ms"],
        insert_mode=parsed["insert.mode"].lower(),
        delete_enabled=parsed["delete.enabled"],
        truncate_enabled=parsed.get("truncate.enabled", False),
        pk_mode=parsed["pk.mode"],
        pk_fields=tuple(f for f in parsed["pk.fields"] if f),
        include=frozenset(f for f in parsed["fields.whitelist"] if f),
        auto_create=parsed["auto.create"],
        auto_evolve=parsed["auto.evolve"],
        table_format=parsed["table.name.format"],
        table_naming=parsed.get("table.naming", "format"),
        null_becomes_default="always" if parsed["replace.null.with.default"] else "never",
        string_column=parsed["string.output.value.column.name"],
        max_retries=parsed["max.retries"],
        retry_backoff_ms=parsed["retry.backoff.ms"],
        unrepresentable=parsed.get("policy.unrepresentable", "reject"),
        transaction_max_rows=parsed.get("transaction.max.rows", 20000),
        whole_transactions=_one_task(raw),
        placeholder=parsed.get("unavailable.value.placeholder", UNAVAILABLE_VALUE),
        hide_values=parsed["trim.sensitive.log"],
        refused_stops_table="table.naming" in parsed,
    )


def debezium_settings(parsed: Mapping[str, Any], raw: Mapping[str, Any]) -> SinkSettings:
    """Settings from the option names of Debezium's sink."""
    basic = parsed["schema.evolution"] == "basic"
    option = "collection.naming.strategy"
    naming = str(parsed[option if option in raw else "table.naming.strategy"])
    return SinkSettings(
        url=parsed["connection.url"],
        user=parsed["connection.username"],
        password=parsed["connection.password"],
        properties={},
        insert_mode=parsed["insert.mode"].lower(),
        delete_enabled=parsed["delete.enabled"],
        truncate_enabled=parsed["truncate.enabled"],
        pk_mode=parsed["primary.key.mode"],
        pk_fields=tuple(f for f in parsed["primary.key.fields"] or () if f),
        include=frozenset(f for f in parsed["field.include.list"] or () if f),
        exclude=frozenset(f for f in parsed["field.exclude.list"] or () if f),
        auto_create=basic,
        auto_evolve=basic,
        validate_only=parsed["schema.evolution"] == "validate-only",
        table_format=raw.get("collection.name.format") or raw.get("table.name.format") or "${topic}",
        dots_to_underscores="Passthrough" not in naming,
        null_becomes_default="required",
        max_retries=parsed["flush.max.retries"],
        retry_backoff_ms=parsed["flush.retry.delay.ms"],
        whole_transactions=_one_task(raw),
    )


_DECLARED_CONNECTION_OPTIONS: Final = {
    "connection.url",
    "connection.user",
    "connection.password",
    "connection.attempts",
    "connection.backoff.ms",
}


def _driver_properties(parsed: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.removeprefix("connection."): str(value)
        for name, value in raw.items()
        if name.startswith("connection.") and name not in _DECLARED_CONNECTION_OPTIONS
    }


def _one_task(raw: Mapping[str, Any]) -> bool:
    return str(raw.get("tasks.max", "1")).strip() == "1"
