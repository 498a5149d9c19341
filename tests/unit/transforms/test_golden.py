"""Every case of tests/differential/transforms against the recorded answers of the Java classes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replicator.api.errors import ConnectError
from replicator.api.option_types import to_text
from replicator.api.transform import Predicate
from replicator.plugins.registry import Registry
from tests.differential.transforms.codec import canonical, read_record, write_record

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "transforms"
FAMILIES = [json.loads(gzip.decompress(path.read_bytes())) for path in sorted(GOLDEN.glob("*.json.gz"))]
REGISTRY = Registry()
EVALUATING = "Error while evaluating expression"
UNSPECIFIC = (
    "*",
    "Unable to validate config.",
    "The provided configuration isn't valid; check the error log for details.",
)
"""Messages of Debezium's that name no option; ours say more."""


def kind_of(name: str) -> str:
    return "predicate" if ".predicates." in name else "transformation"


def short(name: str) -> str:
    return name.rpartition(".")[2]


def cases() -> Iterator[Any]:
    for family in FAMILIES:
        for number, case in enumerate(family["cases"]):
            yield pytest.param(case, id=f"{number}-{short(case['class'])}-{json.dumps(case['config'])[:60]}")


def definitions() -> Iterator[Any]:
    for family in FAMILIES:
        for name, keys in family["config_defs"].items():
            yield pytest.param(name, keys, id=short(name))


def refusal(plugin: Any, config: Any) -> Any:
    try:
        plugin.configure(config)
    except ConnectError as error:
        return {"error": {"message": str(error)}}
    return None


def outcome(plugin: Any, record: Any) -> Any:
    try:
        if isinstance(plugin, Predicate):
            return plugin.test(read_record(record))
        return write_record(plugin.apply(read_record(record)))
    except ConnectError as error:
        return {"error": {"message": str(error)}}


def expected(case: Any, at: str, java: Any) -> Any:
    """What we must give: Java's answer, or ours where the case says that we differ."""
    ours = case.get("ours", {}).get(at)
    if ours is None:
        return java
    if ours == "ok":
        return "ok"
    return {"error": {"message": ours}}


@pytest.mark.parametrize("case", list(cases()))
def test_as_java(case: Any) -> None:
    plugin = REGISTRY.get(kind_of(case["class"]), case["class"])()
    java = case["java"]
    refused = refusal(plugin, case["config"])
    if refused is not None:
        assert "config_error" in java or "config" in case.get("ours", {}), f"refused: {refused}"
        compare(refused, expected(case, "config", {"error": java.get("config_error")}))
        return
    if "config_error" in java:
        assert case.get("ours", {}).get("config") == "ok", f"Java refuses: {java['config_error']}"
        return
    for number, record in enumerate(case["records"]):
        compare(outcome(plugin, record), expected(case, str(number), java["records"][number]))


def compare(ours: Any, java: Any) -> None:
    if java == "ok":
        assert "error" not in ours
        return
    if isinstance(java, dict) and "error" in java:
        assert isinstance(ours, dict)
        assert "error" in ours, f"Java fails: {java['error']}, ours gives {ours}"
        message, said = java["error"]["message"], ours["error"]["message"]
        if message.startswith(EVALUATING):
            assert said.startswith(message.partition(" for record '")[0])
        elif message not in UNSPECIFIC:
            assert said == message
        return
    assert canonical(ours) == canonical(java)


@pytest.mark.parametrize(("name", "keys"), list(definitions()))
def test_options_are_declared_as_in_java(name: str, keys: list[dict[str, Any]]) -> None:
    declared = REGISTRY.get(kind_of(name), name).config_def().keys
    for key in keys:
        ours = declared[key["name"]]
        assert ours.type.value == key["type"]
        assert ours.importance.value == key["importance"]
        assert ours.required == bool(key.get("required"))
        if not ours.required:
            assert (to_text(ours.default, ours.type) or "") == (key["default"] or "")
        assert ours.doc
    assert {key["name"] for key in keys} <= set(declared)
