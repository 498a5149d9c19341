"""deploy/examples and the README's configuration: classes are known and options valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from replicator.config.files import parse_properties, read_connector, read_options
from replicator.config.worker import WorkerConfig
from replicator.plugins.registry import Registry
from tests.unit.deploy.image_files import ROOT

FOLDER = ROOT / "deploy" / "examples"
CONNECTORS = sorted(file for file in FOLDER.iterdir() if not file.name.startswith("worker"))


@pytest.mark.parametrize("file", CONNECTORS, ids=lambda file: file.stem)
def test_connectors(file: Path) -> None:
    connector = read_connector(file, named_by_file=False)
    cls = Registry().connector(connector.config["connector.class"])[1]
    resolved = {n: "pw" if "${file:" in v else v for n, v in connector.config.items()}
    # Whether a file to read exists is the machine's business.
    wrong = [value.errors for value in cls.config_def().validate(resolved) if value.errors]
    assert not wrong
    # Secrets are never in the file itself.
    assert all(v.startswith("${file:") for n, v in connector.config.items() if "password" in n)


def test_the_worker() -> None:
    options = read_options(FOLDER / "worker.properties")
    assert WorkerConfig(options)["data.dir"] == "/var/lib/replicator/shop"


def test_the_readme_shows_these_files() -> None:
    text = (ROOT / "README.md").read_text()
    for name, shown in re.findall(r"`(\w+\.properties)`\n\n```properties\n(.*?)```", text, re.DOTALL):
        assert parse_properties(shown) == parse_properties((FOLDER / name).read_text()), name
