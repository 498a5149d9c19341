"""Chains as users configure them, built through the registry and applied in order."""

from __future__ import annotations

from typing import Any

import pytest

from replicator.api.errors import ConfigError, DataError
from replicator.api.record import SinkRecord
from replicator.api.schema import INT32, OPTIONAL_STRING, struct_schema
from replicator.api.struct import Struct
from replicator.plugins.factory import steps
from replicator.plugins.registry import Registry
from replicator.runtime.chain import Chain

CONNECT = "org.apache.kafka.connect.transforms."
ROW = struct_schema(
    [
        ("id", INT32),
        ("ssn", OPTIONAL_STRING),
        ("credit_card", OPTIONAL_STRING),
        ("internal_column", OPTIONAL_STRING),
    ]
)
REGISTRY = Registry()


def chain(config: dict[str, Any]) -> Chain:
    return Chain(steps(REGISTRY, config))


def row(**changes: Any) -> SinkRecord:
    fields = {"id": 1, "ssn": "123-45", "credit_card": "4111", "internal_column": "x"} | changes
    key = struct_schema([("id", INT32)])
    return SinkRecord("t", 0, key, Struct(key, {"id": 1}), ROW, Struct(ROW, fields), 0, 1_500_000_000_000)


def schemaless(**changes: Any) -> SinkRecord:
    fields = {"id": 1, "ssn": "123-45", "credit_card": "4111", "internal_column": "x"} | changes
    return SinkRecord("t", 0, None, {"id": 1}, None, fields, 0, 1_500_000_000_000)


COMMON: list[tuple[dict[str, str], str, Any]] = [
    ({"transforms": "k", "transforms.k.type": f"{CONNECT}ValueToKey", "transforms.k.fields": "id"}, "key", {"id": 1}),
    ({"transforms": "k", "transforms.k.type": f"{CONNECT}ExtractField$Key", "transforms.k.field": "id"}, "key", 1),
    (
        {
            "transforms": "d",
            "transforms.d.type": f"{CONNECT}ReplaceField$Value",
            "transforms.d.exclude": "internal_column,temp_field",
        },
        "value",
        {"id": 1, "ssn": "123-45", "credit_card": "4111"},
    ),
    (
        {"transforms": "m", "transforms.m.type": f"{CONNECT}MaskField$Value", "transforms.m.fields": "ssn,credit_card"},
        "value",
        {"id": 1, "ssn": "", "credit_card": "", "internal_column": "x"},
    ),
]  # fmt: skip


@pytest.mark.parametrize("given", [row, schemaless])
@pytest.mark.parametrize(("config", "part", "expected"), COMMON)
def test_common_ones(config: dict[str, str], part: str, expected: Any, given: Any) -> None:
    made = chain(config).apply(given())
    assert made is not None
    found = getattr(made, part)
    assert (found.plain() if isinstance(found, Struct) else found) == expected


def test_a_chain_runs_in_order_behind_predicates() -> None:
    subject = chain(
        {
            "transforms": "key,id,route,date,drop",
            "transforms.key.type": "ValueToKey",
            "transforms.key.fields": "id",
            "transforms.key.predicate": "tombstone",
            "transforms.key.negate": "true",
            "transforms.id.type": "ExtractField$Key",
            "transforms.id.field": "id",
            "transforms.route.type": f"{CONNECT}RegexRouter",
            "transforms.route.regex": "(.*)",
            "transforms.route.replacement": "copy.$1",
            "transforms.date.type": "TimestampRouter",
            "transforms.date.topic.format": "${topic}_${timestamp}",
            "transforms.drop.type": f"{CONNECT}Filter",
            "transforms.drop.predicate": "other",
            "predicates": "tombstone,other",
            "predicates.tombstone.type": f"{CONNECT}predicates.RecordIsTombstone",
            "predicates.other.type": f"{CONNECT}predicates.TopicNameMatches",
            "predicates.other.pattern": "copy\\.secret.*",
        }
    )
    made = subject.apply(row())
    assert made is not None
    assert (made.topic, made.key) == ("copy.t_20170714", 1)
    tombstone = subject.apply(row().evolve(value_schema=None, value=None))
    assert tombstone is not None
    assert (tombstone.key, tombstone.value) == (1, None)
    assert subject.apply(row().evolve(topic="secret")) is None


def test_without_the_predicate_a_tombstone_fails() -> None:
    subject = chain({"transforms": "k", "transforms.k.type": "ValueToKey", "transforms.k.fields": "id"})
    with pytest.raises(DataError, match=r"Only Map objects supported in absence of schema .* found: null"):
        subject.apply(row().evolve(value_schema=None, value=None))


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"type": "Cast$Value"}, "spec"),
        ({"type": "Cast$Value", "spec": "a:bytes"}, "spec"),
        ({"type": "TimestampConverter$Value", "target.type": "string"}, "format"),
        (
            {"type": "io.debezium.transforms.Filter", "language": "jsr223.groovy", "condition": "("},
            "condition",
        ),
        ({"type": "io.debezium.transforms.Filter", "language": "python", "condition": "true"}, "language"),
        ({"type": "TimezoneConverter"}, "converted.timezone"),
        ({"type": "ByLogicalTableRouter", "topic.regex": "(", "topic.replacement": "x"}, "topic.regex"),
        ({"type": "HoistField"}, None),
    ],
)
def test_the_option_to_blame_is_named(options: dict[str, str], option: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        chain({"transforms": "a", **{f"transforms.a.{name}": value for name, value in options.items()}})
    assert caught.value.option == option
