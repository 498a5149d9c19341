"""What all transforms keep to: equal schemas give one schema object, and the given record stays as it is."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from replicator.api.errors import ConfigError
from replicator.api.record import ConnectRecord
from replicator.plugins.registry import Registry
from tests.benchmarks.transforms import PREDICATES, SUBJECTS, Subject, costs

REGISTRY = Registry()
CHANGING = [subject for subject in SUBJECTS if subject.name != "Filter"]
ONE_OF_TWO = ("Key", "Value")


def label(subject: Subject) -> str:
    return f"{subject.name}-{','.join(subject.options)}"


def twice(subject: Subject) -> tuple[ConnectRecord, ConnectRecord]:
    """The subject applied to its record, and to one with equal schemas that are other objects."""
    transform = REGISTRY.get("transformation", subject.name)()
    transform.configure(subject.options)
    given = subject.given
    same = given.evolve(
        key_schema=copy.deepcopy(given.key_schema),
        key=copy.deepcopy(given.key),
        value_schema=copy.deepcopy(given.value_schema),
        value=copy.deepcopy(given.value),
    )
    first, second = transform.apply(given), transform.apply(same)
    assert first is not None
    assert second is not None
    return first, second


@pytest.mark.parametrize("subject", CHANGING, ids=label)
def test_equal_schemas_give_one_schema(subject: Subject) -> None:
    first, second = twice(subject)
    for part in ("key_schema", "value_schema"):
        made = getattr(first, part)
        if made is not getattr(subject.given, part):
            assert getattr(second, part) is made


@pytest.mark.parametrize("subject", CHANGING, ids=label)
def test_the_given_record_is_not_changed(subject: Subject) -> None:
    given = subject.given
    before = copy.deepcopy([getattr(given, part) for part in ("key", "value", "headers", "topic")])
    twice(subject)
    assert [given.key, given.value, given.headers, given.topic] == before


def test_every_transform_is_measured() -> None:
    measured = {subject.name for subject in SUBJECTS}
    names = REGISTRY.names("transformation")
    variants = {name for name in names if name.removesuffix("Key") + "Value" in measured}
    # One is a short form of another; TimescaleDb asks a database.
    assert set(names) - measured - variants == {"ToLogicalTopicRouter", "TimescaleDb"}
    assert {subject.name for subject in PREDICATES} == set(REGISTRY.names("predicate"))


def test_costs_are_counted_per_call() -> None:
    found = {(name, options): cost for name, options, cost in costs(calls=50, runs=1)}
    assert all(0 < cost < 5000 for cost in found.values())


JAVA_NAMES = [
    f"org.apache.kafka.connect.transforms.{name}"
    for name in (
        *(
            f"{family}${part}"
            for family in (
                "Cast",
                "ExtractField",
                "Flatten",
                "HeaderFrom",
                "HoistField",
                "InsertField",
                "MaskField",
                "ReplaceField",
                "SetSchemaMetadata",
                "TimestampConverter",
            )
            for part in ONE_OF_TWO
        ),
        "DropHeaders",
        "Filter",
        "InsertHeader",
        "RegexRouter",
        "TimestampRouter",
        "ValueToKey",
    )
] + [
    f"io.debezium.transforms.{name}"
    for name in (
        "ByLogicalTableRouter",
        "ContentBasedRouter",
        "ExtractChangedRecordState",
        "ExtractNewRecordState",
        "Filter",
        "HeaderToValue",
        "SchemaChangeEventFilter",
        "TimezoneConverter",
        "ToLogicalTopicRouter",
        "outbox.EventRouter",
        "partitions.PartitionRouting",
    )
]


@pytest.mark.parametrize("name", JAVA_NAMES)
def test_java_names(name: str) -> None:
    cls: Any = REGISTRY.get("transformation", name)
    assert name in cls.aliases
    assert all(key.doc for key in cls.config_def().keys.values())


@pytest.mark.parametrize("name", ["org.apache.kafka.connect.transforms.Cast", "HoistField"])
def test_a_family_without_its_part_names_both(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        REGISTRY.get("transformation", name)
    expected = f"This class is abstract and cannot be created. Did you mean {name}$Key, {name}$Value?"
    assert str(caught.value) == expected
