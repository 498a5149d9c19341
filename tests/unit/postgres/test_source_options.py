"""Options of the source connector, and what becomes of the driver's errors."""

from __future__ import annotations

import psycopg
import pytest

from connectors.postgres.connector import PostgresConnector
from connectors.postgres.errors import by_state, translate
from replicator.api import ConfigError, ConnectError, PositionLostError, RetriableError

GOOD = {
    "topic.prefix": "srv", "database.hostname": "h", "database.user": "u", "database.password": "secret",
    "database.dbname": "d",
}  # fmt: skip


def errors(**changes: str) -> dict[str, list[str]]:
    config = GOOD | {k.replace("__", "."): v for k, v in changes.items()}
    return {v.name: v.errors for v in PostgresConnector().validate(config) if v.errors}


def test_a_good_configuration_has_no_errors() -> None:
    assert errors() == {}
    connector = PostgresConnector()
    connector.start(GOOD)
    assert len(connector.task_configs(5)) == 1


def test_defaults_that_differ_from_debeziums() -> None:
    """They are listed in docs/compatibility.md."""
    found = {v.name: v.value for v in PostgresConnector().validate(GOOD)}
    assert (found["plugin.name"], str(found["max.queue.size.in.bytes"])) == ("pgoutput", str(64 << 20))
    assert found["event.converting.failure.handling.mode"] == "fail"


def test_options_of_our_own() -> None:
    own = {
        "array.handling.mode": "json", "column.defaults": "all", "geometry.handling.mode": "text",
        "varbit.handling.mode": "text", "publication.append.name": "p", "catalog.watch.interval.ms": "0",
        "snapshot.chunk.rows": "1", "snapshot.max.age.warn.ms": "0",
    }  # fmt: skip
    found = {v.name: v for v in PostgresConnector().validate(GOOD | own)}
    assert {name: str(found[name].value) for name in own} == own
    assert not any(found[name].errors for name in own)


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"plugin__name": "decoderbufs"}, "plugin.name"),
        ({"snapshot__mode": "never"}, "snapshot.mode"),
        ({"slot__name": "Bad-Name"}, "slot.name"),
        ({"table__include__list": "("}, "table.include.list"),
        ({"table__include__list": "a", "table__exclude__list": "b"}, "table.exclude.list"),
        ({"skipped__operations": "none,c"}, "skipped.operations"),
        ({"max__queue__size": "10", "max__batch__size": "10"}, "max.queue.size"),
        ({"message__key__columns": "nonsense"}, "message.key.columns"),
        ({"converters": "isbn"}, "converters"),
        ({"post__processors": "reselector"}, "post.processors"),
        (
            {"topic__naming__strategy": "io.debezium.schema.SchemaRegexTopicNamingStrategy"},
            "topic.regex",
        ),
        ({"snapshot__mode": "configuration_based"}, "snapshot.mode.configuration.based.start.stream"),
        ({"topic__prefix": "a b"}, "topic.prefix"),
    ],
)
def test_wrong_options_are_named(change: dict[str, str], option: str) -> None:
    assert list(errors(**change)) == [option]


@pytest.mark.parametrize(
    ("state", "message", "expected"),
    [
        ("28P01", 'password authentication failed for user "u"', ConfigError),
        ("42501", "permission denied for table t", ConfigError),
        ("57P01", "terminating connection due to administrator command", RetriableError),
        ("57P03", "the database system is shutting down", RetriableError),
        ("55P03", "canceling statement due to lock timeout", RetriableError),
        ("55006", 'replication slot "s" is active for PID 1', RetriableError),
        ("58P01", "requested WAL segment 0000 has already been removed", PositionLostError),
        ("55000", 'can no longer get changes from replication slot "s"', PositionLostError),
        ("42704", 'replication slot "s" does not exist', PositionLostError),
        ("42704", 'publication "p" does not exist', PositionLostError),
        ("22023", 'invalid snapshot identifier: "00000007-0000382D-1"', RetriableError),
        ("42704", 'snapshot "00000007-0000382D-1" does not exist', RetriableError),
        ("42601", "syntax error", ConnectError),
    ],
)
def test_states_become_errors(state: str, message: str, expected: type[ConnectError]) -> None:
    error = by_state(state, message, "testing")
    assert type(error) is expected
    assert message in str(error)
    assert "while testing" in str(error)


def test_the_missing_right_is_named() -> None:
    assert "GRANT SELECT ON t TO" in str(by_state("42501", "permission denied for table t", "x"))
    assert "REPLICATION" in str(
        by_state("42501", "must be superuser or replication role to start walsender", "x")
    )


def test_a_lost_connection_is_retried_and_a_bug_is_not() -> None:
    assert isinstance(translate(psycopg.OperationalError("server closed the connection")), RetriableError)
    assert not isinstance(translate(psycopg.ProgrammingError("wrong use")), RetriableError)
