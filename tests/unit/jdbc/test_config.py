"""Options of the three sink connectors, by themselves and together."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.jdbc.config import SinkSettings
from connectors.jdbc.connector import (
    ConfluentJdbcSinkConnector,
    DebeziumJdbcSinkConnector,
    JdbcSinkConnector,
)
from connectors.jdbc.flavours import confluent, debezium, own
from replicator.api import ConfigError, Secret

URL = {"connection.url": "jdbc:mysql://h:3306/d"}
DEBEZIUM = URL | {"connection.username": "u", "connection.password": "p"}


def errors(connector: type[JdbcSinkConnector], config: dict[str, str]) -> dict[str, list[str]]:
    return {v.name: v.errors for v in connector().validate(config) if v.errors}


def test_the_defaults_are_the_anchors() -> None:
    mine = confluent(URL)
    assert (mine.insert_mode, mine.pk_mode, mine.max_retries, mine.retry_backoff_ms) == (
        "insert",
        "none",
        10,
        3000,
    )
    assert mine.null_becomes_default == "always"
    theirs = debezium(DEBEZIUM)
    assert (theirs.insert_mode, theirs.max_retries, theirs.retry_backoff_ms) == ("insert", 5, 1000)
    assert (theirs.dots_to_underscores, theirs.null_becomes_default) == (True, "required")
    assert own(URL).max_retries == -1


def test_debezium_names() -> None:
    read = debezium(
        DEBEZIUM
        | {
            "primary.key.mode": "record_header",
            "primary.key.fields": "a,b",
            "schema.evolution": "basic",
            "table.name.format": "x_${topic}",
            "insert.mode": "UPSERT",
            "delete.enabled": "true",
            "field.exclude.list": "secret",
            "collection.naming.strategy": "io.debezium.sink.naming.PassthroughCollectionNamingStrategy",
        }
    )
    assert isinstance(read, SinkSettings)
    assert (read.user, read.password, read.insert_mode) == ("u", Secret("p"), "upsert")
    assert (read.pk_mode, read.pk_fields) == ("record_header", ("a", "b"))
    assert read.auto_create
    assert read.auto_evolve
    assert read.delete_enabled
    assert (read.table_format, read.dots_to_underscores) == ("x_${topic}", False)
    assert read.exclude == {"secret"}


def test_other_connection_options_go_to_the_driver() -> None:
    assert own(URL | {"connection.useSSL": "true"}).properties == {"useSSL": "true"}


def test_whole_transactions_need_one_task() -> None:
    assert own(URL | {"tasks.max": "1"}).whole_transactions
    assert not own(URL | {"tasks.max": "4"}).whole_transactions


@pytest.mark.parametrize(
    ("more", "option"),
    [
        ({"insert.mode": "upsert"}, "insert.mode"),
        ({"insert.mode": "update"}, "insert.mode"),
        ({"insert.mode": "Upsert", "pk.mode": "record_key"}, "insert.mode"),
        ({"delete.enabled": "true"}, "delete.enabled"),
        ({"delete.enabled": "true", "pk.mode": "kafka"}, "delete.enabled"),
        ({"pk.mode": "kafka", "pk.fields": "a,b"}, "pk.fields"),
        ({"pk.mode": "nonsense"}, "pk.mode"),
        ({"db.timezone": "Europe/Berlin"}, "db.timezone"),
        ({"quote.sql.identifiers": "never"}, "quote.sql.identifiers"),
        ({"timestamp.fields.list": "a"}, "timestamp.fields.list"),
        ({"table.name.format": ""}, "table.name.format"),
        ({"connection.url": "oracle://x"}, "connection.url"),
        ({"connection.attempts": "0"}, "connection.attempts"),
    ],
)
@pytest.mark.parametrize("connector", [JdbcSinkConnector, ConfluentJdbcSinkConnector])
def test_wrong_options_are_named(
    connector: type[JdbcSinkConnector], more: dict[str, str], option: str
) -> None:
    assert list(errors(connector, URL | more)) == [option]


@pytest.mark.parametrize("read", [own, confluent])
def test_a_task_refuses_what_validation_refuses(read: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read(URL | {"insert.mode": "upsert"})
    assert caught.value.option == "insert.mode"


@pytest.mark.parametrize(
    ("more", "option"),
    [
        ({"insert.mode": "upsert"}, "insert.mode"),
        ({"delete.enabled": "true"}, "delete.enabled"),
        ({"schema.evolution": "full"}, "schema.evolution"),
        ({"use.time.zone": "Asia/Tokyo"}, "use.time.zone"),
        ({"field.include.list": "a", "field.exclude.list": "b"}, "field.exclude.list"),
    ],
)
def test_wrong_debezium_options_are_named(more: dict[str, str], option: str) -> None:
    assert list(errors(DebeziumJdbcSinkConnector, DEBEZIUM | more)) == [option]


def test_options_of_our_own_are_not_those_of_the_java_sinks() -> None:
    """Under Java's class names they mean nothing, and a refused row fails the task instead of stopping its table."""
    more = {"transaction.max.rows": "5", "policy.unrepresentable": "null", "table.naming": "source"}
    ours, theirs = own(URL | more), confluent(URL | more)
    assert (ours.transaction_max_rows, ours.unrepresentable, ours.table_naming) == (5, "null", "source")
    assert (theirs.transaction_max_rows, theirs.unrepresentable, theirs.table_naming) == (
        20000,
        "reject",
        "format",
    )
    assert (ours.refused_stops_table, theirs.refused_stops_table) == (True, False)
    assert not debezium(DEBEZIUM | more).refused_stops_table


def test_debezium_options_without_effect_are_taken() -> None:
    config = DEBEZIUM | {
        "quote.identifiers": "false", "column.naming.strategy": "com.example.Mine",
        "connection.provider": "com.example.Mine", "connection.pool.max_size": "9",
    }  # fmt: skip
    assert errors(DebeziumJdbcSinkConnector, config) == {}


def test_confluent_deletes_need_the_records_key_and_ours_do_not() -> None:
    config = URL | {"delete.enabled": "true", "pk.mode": "record_value", "pk.fields": "id"}
    assert "delete.enabled" in errors(ConfluentJdbcSinkConnector, config)
    assert errors(JdbcSinkConnector, config) == {}


def test_a_good_configuration_has_no_errors() -> None:
    config = URL | {"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true"}
    for connector in (JdbcSinkConnector, ConfluentJdbcSinkConnector):
        assert errors(connector, config) == {}
    assert errors(DebeziumJdbcSinkConnector, DEBEZIUM) == {}


def test_class_names_of_the_java_connectors() -> None:
    assert "io.confluent.connect.jdbc.JdbcSinkConnector" in ConfluentJdbcSinkConnector.aliases
    assert "io.debezium.connector.jdbc.JdbcSinkConnector" in DebeziumJdbcSinkConnector.aliases
    assert "JdbcSink" in JdbcSinkConnector.aliases


def test_the_password_is_never_shown() -> None:
    assert "hunter2" not in repr(own(URL | {"connection.password": "hunter2"}))
