"""ConfigInfos: shape, errors on the right keys, secrets."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

import pytest

from replicator.api.config import ConfigDef, key
from replicator.api.converter import Converter
from replicator.api.errors import BadRequestError, ConfigError
from replicator.api.option_types import Type
from replicator.api.transform import Predicate, Transformation
from replicator.config.connector import SINK_DEF, SOURCE_DEF
from replicator.config.providers import Resolver
from replicator.herder.validation import Validator
from replicator.plugins.registry import Registry
from replicator.testing.fakes import FakeSink, FakeSource


class Mask(Transformation):
    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(key("fields", Type.LIST))


class Always(Predicate):
    pass


class Unfinished(Converter, ABC):
    @abstractmethod
    def left_out(self) -> None: ...


class Throwing(Converter):
    def __init__(self) -> None:
        raise RuntimeError("no such luck")


class ThrowingStep(Transformation):
    @classmethod
    def config_def(cls) -> ConfigDef:
        raise RuntimeError("no such luck")


class Demanding(Converter):
    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(key("needed", Type.STRING))


def validator(policy: str = "All") -> Validator:
    registry = Registry()
    registry.add("source", FakeSource)
    registry.add("sink", FakeSink)
    registry.add("transformation", Mask)
    registry.add("predicate", Always)
    registry.add("transformation", ThrowingStep)
    for cls in (Unfinished, Throwing, Demanding):
        registry.add("converter", cls)
    return Validator(registry, Resolver(), policy)


def infos(policy: str = "All", **options: str | None) -> dict[str, Any]:
    base = {"name": "n", "connector.class": "FakeSource", "script": "s"}
    return validator(policy).infos({**base, **{k.replace("__", "."): v for k, v in options.items()}})


def errors(found: dict[str, Any]) -> dict[str, list[str]]:
    return {c["value"]["name"]: c["value"]["errors"] for c in found["configs"] if c["value"]["errors"]}


def names(found: dict[str, Any]) -> set[str]:
    return {c["definition"]["name"] for c in found["configs"] if c["definition"]}


def test_valid_source() -> None:
    found = infos()
    assert (found["name"], found["error_count"]) == ("FakeSource", 0)
    assert names(found) == {*SOURCE_DEF.keys, "script", "tasks", "secret"}
    assert found["groups"] == [
        "Common", "Transforms", "Predicates", "Error Handling", "Topic Creation", "Exactly Once Support",
        "offsets.topic",
    ]  # fmt: skip
    json.dumps(found)


def test_one_entry_field_by_field() -> None:
    entry = next(c for c in infos(tasks__max="x")["configs"] if c["definition"]["name"] == "tasks.max")
    assert entry["definition"] == {
        "name": "tasks.max",
        "type": "INT",
        "required": False,
        "default_value": "1",
        "importance": "HIGH",
        "documentation": "Maximum number of tasks to use for this connector.",
        "group": "Common",
        "width": "SHORT",
        "display_name": "Tasks max",
        "dependents": [],
        "order": 4,
    }
    assert entry["value"] == {
        "name": "tasks.max",
        "value": None,
        "recommended_values": [],
        "errors": [
            "Invalid value x for configuration tasks.max: Not a number of type INT",
            "Invalid value null for configuration tasks.max: Value must be non-null",
        ],
        "visible": True,
    }


def test_missing_option_of_the_connector() -> None:
    found = validator().infos({"name": "n", "connector.class": "FakeSource"})
    assert found["error_count"] == 1
    assert errors(found) == {
        "script": ['Missing required configuration "script" which has no default value.']
    }


def test_unknown_options_do_not_appear() -> None:
    found = infos(whatever="1")
    assert "whatever" not in json.dumps(found)


def test_sink_topics() -> None:
    config = {"name": "n", "connector.class": "FakeSink", "script": "s"}
    assert set(errors(validator().infos(config))) == {"topics", "topics.regex"}
    found = validator().infos({**config, "topics": "a"})
    assert found["error_count"] == 0
    assert names(found) == {*SINK_DEF.keys, "script", "tasks", "secret"}


def test_secrets_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD_OF_TEST", "hunter2")
    found = infos(secret="${env:PASSWORD_OF_TEST}")
    assert "hunter2" not in json.dumps(found)
    shown = next(c["value"]["value"] for c in found["configs"] if c["value"]["name"] == "secret")
    assert shown == "[hidden]"


def test_no_secret_is_shown_in_values_and_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_TEST", "hunter2")
    found = infos(
        script="mysql://u:hunter2@h/db", tasks="${env:SECRET_OF_TEST}", errors__tolerance="a://b:hunter2@c"
    )
    shown = {c["value"]["name"]: c["value"] for c in found["configs"]}
    assert shown["script"]["value"] == "mysql://u:[hidden]@h/db"
    assert "hunter2" not in json.dumps(found)
    assert "${env:SECRET_OF_TEST}" in json.dumps(found)
    with pytest.raises(BadRequestError) as raised:
        validator().check({"name": "n", "connector.class": "FakeSource", "tasks": "${env:SECRET_OF_TEST}"})
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"transforms": "a,a", "transforms__a__type": "Mask", "transforms__a__fields": "x"}, ["transforms"]),
        ({"transforms": "a"}, ["transforms.a.type"]),
        ({"transforms": "a", "transforms__a__type": "Nothing"}, ["transforms.a.type"]),
        ({"transforms": "a", "transforms__a__type": "Mask"}, ["transforms.a.fields"]),
        (
            {"transforms": "a", "transforms__a__type": "Mask", "transforms__a__fields": "x",
             "transforms__a__negate": "true"},
            ["transforms.a.type"],
        ),
        (
            {"transforms": "a", "transforms__a__type": "Mask", "transforms__a__fields": "x",
             "transforms__a__predicate": "p"},
            ["transforms.a.predicate"],
        ),
        ({"predicates": "p,p", "predicates__p__type": "Always"}, ["predicates"]),
        ({"predicates": "p", "predicates__p__type": "Never"}, ["predicates.p.type"]),
        ({"key__converter": "NoConverter"}, ["key.converter"]),
        ({"value__converter": "FakeSource"}, ["value.converter"]),
        ({"header__converter": "None"}, ["header.converter"]),
        ({"header__converter": "FakeSource"}, ["header.converter"]),
        ({"key__converter": "Unfinished"}, ["key.converter"]),
        ({"key__converter": "Throwing"}, ["key.converter"]),
        ({"value__converter": "Demanding"}, ["value.converter.needed"]),
        ({"value__converter": "Demanding", "value__converter__needed": "x"}, []),
        ({"transforms": "a", "transforms__a__type": "ThrowingStep"}, ["transforms.a.type"]),
        ({"transforms": "a", "transforms__a__type": "FakeSource"}, ["transforms.a.type"]),
        ({"predicates": "p", "predicates__p__type": "Mask"}, ["predicates.p.type"]),
        ({"topic__creation__groups": "g,g"}, ["topic.creation.groups"]),
        ({"topic__creation__groups": "g"}, ["topic.creation.g.include"]),
        ({"topic__creation__default__partitions": "1"}, ["topic.creation.default.replication.factor"]),
        ({"errors__tolerance": "some"}, ["errors.tolerance"]),
        ({"errors__retry__timeout": "-2"}, ["errors.retry.timeout"]),
        ({"name": " "}, ["name"]),
        ({"tasks__max": None}, ["tasks.max", "tasks.max"]),
        ({"tasks__max": "x"}, ["tasks.max", "tasks.max"]),
    ],
)  # fmt: skip
def test_errors_on_the_right_keys(options: dict[str, str | None], wrong: list[str]) -> None:
    found = infos(**options)
    assert sorted(option for option, told in errors(found).items() for _ in told) == sorted(wrong)
    assert found["error_count"] == len(wrong)


def test_options_of_transforms_and_converters_appear() -> None:
    found = infos(
        transforms="a",
        transforms__a__type="Mask",
        transforms__a__fields="x,y",
        transforms__a__predicate="p",
        predicates="p",
        predicates__p__type="Always",
        value__converter="org.apache.kafka.connect.json.JsonConverter",
    )
    assert found["error_count"] == 0
    assert {"transforms.a.type", "transforms.a.fields", "transforms.a.negate", "predicates.p.type",
            "value.converter.schemas.enable"} <= names(found)  # fmt: skip
    assert {"Transforms: a", "Predicates: p"} <= set(found["groups"])
    value = next(c["value"]["value"] for c in found["configs"] if c["value"]["name"] == "transforms.a.fields")
    assert value == "x,y"


@pytest.mark.parametrize(
    ("policy", "option", "refused"),
    [
        ("All", "producer.override.acks", False),
        ("None", "producer.override.acks", True),
        ("Principal", "consumer.override.max.poll.records", True),
        ("Principal", "consumer.override.sasl.mechanism", False),
        (
            "org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy",
            "admin.override.client.id",
            True,
        ),
        (
            "org.apache.kafka.connect.connector.policy.AllConnectorClientConfigOverridePolicy",
            "admin.override.client.id",
            False,
        ),
    ],
)
def test_override_policy(policy: str, option: str, refused: bool) -> None:
    assert (option in errors(infos(policy, **{option: "1"}))) is refused


def test_no_class() -> None:
    with pytest.raises(BadRequestError, match="contains no connector type") as raised:
        validator().infos({"name": "n", "password": "hunter2"})
    assert "hunter2" not in str(raised.value)


def test_unknown_class() -> None:
    with pytest.raises(ConfigError, match="Failed to find any class"):
        validator().infos({"name": "n", "connector.class": "com.x.Nothing"})


def test_check_lists_all_errors() -> None:
    with pytest.raises(BadRequestError) as raised:
        validator().check({"name": "n", "connector.class": "FakeSink", "script": "s"})
    lines = str(raised.value).splitlines()
    assert lines[0] == "Connector configuration is invalid and contains the following 2 error(s):"
    assert lines[1] == lines[2] == "Must configure one of topics or topics.regex"
    assert "/connector-plugins/{connectorType}/config/validate" in lines[3]
