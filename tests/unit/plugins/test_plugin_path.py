"""Plugins of other packages: found below `plugin.path`, as installed packages, wheels and source trees."""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from replicator.plugins.discovery import discover
from replicator.plugins.registry import Registry
from replicator.service import Service
from tests.unit.runtime.service_fixture import FAST, eventually

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "shout"
ENTRY_POINTS = """[replicator.source_connectors]
CounterSourceConnector = shout.counter:CounterSourceConnector

[replicator.transforms]
Shout = shout.transform:Shout
"""


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """What a test imports and adds to the search path does not stay."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    discover.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "shout"]:
        del sys.modules[name]


def installed(folder: Path) -> Path:
    """What `pip install --target` makes of the example."""
    shutil.copytree(EXAMPLE / "shout", folder / "shout", ignore=shutil.ignore_patterns("__pycache__"))
    info = folder / "replicator_shout-1.2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: replicator-shout\nVersion: 1.2.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


def wheel(folder: Path) -> Path:
    """The example as a wheel in a folder of plugins."""
    packed = folder / "replicator_shout-1.2.0-py3-none-any.whl"
    tree = installed(folder.parent / "tree")
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(tree.rglob("*")):
            archive.write(file, file.relative_to(tree))
    return folder


@pytest.mark.parametrize("form", ["tree", "folder of trees", "installed", "folder of installed", "wheel"])
def test_plugins_are_found_in_every_form(tmp_path: Path, form: str) -> None:
    place = tmp_path / "plugins"
    place.mkdir()
    if form == "tree":
        path = EXAMPLE
    elif form == "folder of trees":
        path = EXAMPLE.parent
    elif form == "wheel":
        path = wheel(place)
    else:
        inner = place if form == "installed" else place / "shout-plugin"
        inner.mkdir(exist_ok=True)
        installed(inner)
        path = place
    registry = Registry(plugin_path=[str(path), str(tmp_path / "missing")])
    kind, cls = registry.connector("CounterSource")
    assert (kind, cls.__module__) == ("source", "shout.counter")
    assert registry.connector("org.example.CounterSourceConnector") == (kind, cls)
    assert registry.get("transformation", "Shout").__module__ == "shout.transform"
    found = {(k, n): registry.version(k, n, c) for k, n, c in registry.all()}
    assert found["source", "CounterSourceConnector"] == "1.2.0"
    assert found["transformation", "Shout"] == "1.2.0"
    assert found["sink", "FileStreamSinkConnector"] == found["source", "FileStreamSourceConnector"] != "1.2.0"


def test_a_plugin_takes_no_name_that_is_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "pyproject.toml").write_text(
        '[project.entry-points."replicator.converters"]\nJsonConverter = "evil:Json"\n'
    )
    registry = Registry(plugin_path=[str(tmp_path)])
    assert registry.get("converter", "JsonConverter").__module__ == "replicator.converters.json"
    assert "the name is taken" in caplog.text


def test_a_broken_tree_hides_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "pyproject.toml").write_text("[project")
    registry = Registry(plugin_path=[str(tmp_path), str(EXAMPLE)])
    assert registry.find("transformation", "Shout") is not None
    assert "cannot be read" in caplog.text


def test_a_worker_runs_them(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    service = Service({**FAST, "plugin.path": str(EXAMPLE.parent), "data.dir": str(tmp_path / "data")})
    service.start()
    try:
        service.herder.put_connector_config(
            "count",
            {
                "name": "count", "connector.class": "CounterSource", "topic": "numbers", "limit": "3",
                "transforms": "loud", "transforms.loud.type": "Shout", "transforms.loud.marks": "2",
            },
        )  # fmt: skip
        service.herder.put_connector_config(
            "out", {"name": "out", "connector.class": "FileStreamSink", "file": str(out), "topics": "numbers"}
        )
        eventually(lambda: out.exists() and out.read_text() == "1!!\n2!!\n3!!\n")
        shown = {
            plugin.class_name: plugin.version for plugin in service.herder.plugins(connectors_only=False)
        }
        assert shown["org.example.CounterSourceConnector"] == "1.2.0"
    finally:
        service.stop()


def test_config_providers_are_found_too(tmp_path: Path) -> None:
    tree = tmp_path / "vault"
    (tree / "src").mkdir(parents=True)
    (tree / "pyproject.toml").write_text(
        '[project]\nname = "v"\n[project.entry-points."replicator.config_providers"]\nVault = "vault_of_test:Vault"\n'
    )
    (tree / "src" / "vault_of_test.py").write_text(
        "from replicator.api import ConfigProvider, ProvidedValue\n"
        "class Vault(ConfigProvider):\n"
        "    def get(self, path, key):\n"
        "        return ProvidedValue(path + key)\n"
    )
    worker = {"plugin.path": str(tmp_path), "config.providers": "v", "config.providers.v.class": "Vault"}
    service = Service({**FAST, **worker, "client.id": "${v:a:b}"})
    assert service.config["client.id"] == "ab"
    assert "config_provider" not in {kind for kind, _, _ in service.registry.all()}
