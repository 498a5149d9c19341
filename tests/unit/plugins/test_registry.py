"""Finding plugins by the names users write."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from replicator.api.errors import ConfigError, ConnectError
from replicator.plugins.registry import Registry
from replicator.testing.fakes import FakeSink, FakeSource


def registry() -> Registry:
    fakes = "replicator.testing.fakes"
    points = {
        "source": {
            "FakeSourceConnector": EntryPoint("FakeSourceConnector", f"{fakes}:FakeSource", "g"),
            "BrokenConnector": EntryPoint("BrokenConnector", "replicator.nowhere:X", "g"),
        },
        "sink": {"FakeSinkConnector": EntryPoint("FakeSinkConnector", f"{fakes}:FakeSink", "g")},
    }
    return Registry(points)


@pytest.mark.parametrize(
    "name",
    ["FakeSourceConnector", "FakeSource", "Fake", "org.example.FakeSourceConnector",
     "replicator.testing.fakes.FakeSource"],
)  # fmt: skip
def test_names_of_a_source(name: str) -> None:
    assert registry().connector(name) == ("source", FakeSource)


def test_kind_is_found() -> None:
    assert registry().connector("FakeSink") == ("sink", FakeSink)


def test_near_names_are_suggested() -> None:
    with pytest.raises(ConfigError, match="Did you mean FakeSourceConnector"):
        registry().connector("org.example.FakeSorceConnector")


def test_one_broken_plugin_hides_no_other() -> None:
    found = registry()
    assert [name for _, name, _ in found.all()] == ["FakeSinkConnector", "FakeSourceConnector"]
    assert "No module named" in found.broken["BrokenConnector"]
    with pytest.raises(ConnectError, match="BrokenConnector cannot be imported"):
        found.connector("BrokenConnector")


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("converter", "org.apache.kafka.connect.json.JsonConverter", "JsonConverter"),
        ("converter", "Json", "JsonConverter"),
        ("converter", "org.apache.kafka.connect.converters.LongConverter", "LongConverter"),
        (
            "header_converter",
            "org.apache.kafka.connect.storage.SimpleHeaderConverter",
            "SimpleHeaderConverter",
        ),
    ],
)
def test_built_in_converters(kind: str, name: str, expected: str) -> None:
    assert Registry().get(kind, name).__name__ == expected


def test_looking_up_a_converter_imports_no_connector() -> None:
    code = (
        "import sys; from replicator.plugins.registry import Registry;"
        "Registry().get('converter', 'org.apache.kafka.connect.json.JsonConverter');"
        "assert not [m for m in sys.modules if m.split('.')[0] in ('connectors', 'fastapi', 'sqlalchemy', 'alembic')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
