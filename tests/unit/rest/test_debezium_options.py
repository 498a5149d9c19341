"""Validate answers for Debezium's connectors: options, groups, order and labels as Java's workers give them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.postgres.config import CONFIG
from replicator.config.providers import Resolver
from replicator.herder.validation import Validator
from replicator.plugins.registry import Registry
from tests.differential.rest.options import FIELDS, JDBC, POSTGRES, asked, rows

_GOLDEN = Path(__file__).parents[2] / "golden" / "rest" / "debezium_options.jsonl"
_DIFFERS: dict[tuple[str, str], dict[str, Any]] = {
    ("plugin.name", "default_value"): {POSTGRES: "pgoutput"},
    ("lsn.flush.mode", "default_value"): {POSTGRES: "connector"},
    ("max.queue.size.in.bytes", "default_value"): {POSTGRES: str(64 << 20)},
    ("batch.size", "display_name"): {JDBC: "Batch size"},
    ("snapshot.mode", "recommended_values"): {
        POSTGRES: ["always", "configuration_based", "initial", "initial_only", "no_data", "when_needed"]
    },
}
"""(option, field): what is here instead, as docs/compatibility.md says."""


@cache
def _java(connector: str) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in _GOLDEN.read_text(encoding="utf-8").splitlines()]
    return {row[1]: dict(zip(FIELDS, row[1:], strict=True)) for row in found if row[0] == connector}


def _ours(connector: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    infos = Validator(Registry(), Resolver()).infos(asked(connector))
    return infos, {row[0]: dict(zip(FIELDS, row, strict=True)) for row in rows(infos)}


@pytest.mark.parametrize("connector", [POSTGRES, JDBC])
def test_options_are_listed_as_java_lists_them(connector: str) -> None:
    expected = _java(connector)
    _, found = _ours(connector)
    for (option, field), instead in _DIFFERS.items():
        if connector in instead:
            assert expected[option][field] != instead[connector]
            expected[option] = expected[option] | {field: instead[connector]}
    assert [option for option in found if option in expected] == list(expected)
    for option, java in expected.items():
        assert found[option] == java


def _errors(**options: str) -> dict[str, list[str]]:
    given = asked(POSTGRES) | {option.replace("_", "."): value for option, value in options.items()}
    infos = Validator(Registry(), Resolver()).infos(given)
    return {
        entry["value"]["name"]: entry["value"]["errors"]
        for entry in infos["configs"]
        if entry["value"]["errors"]
    }


def test_enumerations_are_read_in_any_case() -> None:
    assert (
        _errors(snapshot_mode=" Initial ", publication_autocreate_mode="FILTERED", plugin_name="PgOutput")
        == {}
    )
    parsed = CONFIG.parse(asked(POSTGRES) | {"snapshot.mode": " Initial "})
    assert parsed["snapshot.mode"] == "initial"


def test_what_is_wrong_is_said_in_debeziums_words() -> None:
    found = _errors(
        database_hostname="", database_port="abc", max_batch_size="0", heartbeat_interval_ms="-1", topic_prefix="a b",
        slot_name="Bad", hstore_handling_mode="x", slot_failover="x", snapshot_delay_ms="x", max_queue_size="1",
    )  # fmt: skip
    expected = {
        "database.hostname": ["A value is required"],
        "database.port": ["An integer is expected"],
        "max.batch.size": ["A positive, non-zero integer value is expected"],
        "heartbeat.interval.ms": ["An non-negative integer is expected"],
        "topic.prefix": [
            "a b has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)"
        ],
        "slot.name": [
            "Valid replication slot name must contain only digits, lowercase characters and underscores with length"
            " <= 63"
        ],
        "hstore.handling.mode": ["Value must be one of json, map"],
        "slot.failover": ["Either 'true' or 'false' is expected"],
        "snapshot.delay.ms": ["A long value is expected", "A non-negative long value is expected"],
    }
    assert found == {
        o: [f"The '{o}' value is invalid: {e}" for e in errors] for o, errors in expected.items()
    }


def test_one_wrong_option_hides_no_other() -> None:
    found = _errors(
        database_port="abc", table_include_list="(", skipped_operations="q", schema_include_list="a",
        schema_exclude_list="b", message_key_columns="x", plugin_name="decoderbufs", flush_lsn_source="false",
    )  # fmt: skip
    assert set(found) == {
        "database.port", "table.include.list", "skipped.operations", "schema.exclude.list", "message.key.columns",
        "plugin.name", "flush.lsn.source",
    }  # fmt: skip


@pytest.mark.parametrize("connector", [POSTGRES, JDBC])
def test_groups_are_those_of_java_and_options_of_ours_come_last(connector: str) -> None:
    infos, found = _ours(connector)
    expected = _java(connector)
    assert infos["error_count"] == 0
    assert infos["groups"] == list(dict.fromkeys(java["group"] for java in expected.values()))
    last = max(java["order"] for java in expected.values() if java["group"] == "Connector")
    added = [option for option in found if option not in expected]
    assert [found[option]["group"] for option in added] == ["Connector"] * len(added)
    assert [found[option]["order"] for option in added] == list(range(last + 1, last + 1 + len(added)))
    assert all(found[option]["display_name"] not in ("", option) for option in added)
