"""Example configurations are valid: their connectors know every option in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from replicator.config.connector import SINK_DEF, SOURCE_DEF
from replicator.config.files import read_connector
from replicator.plugins.registry import Registry

EXAMPLES = sorted((Path(__file__).parents[3] / "deploy" / "examples").glob("*.properties"))


@pytest.mark.parametrize("file", [f for f in EXAMPLES if "worker" not in f.name], ids=lambda f: f.name)
def test_an_example_is_valid(file: Path) -> None:
    found = read_connector(file)
    kind, cls = Registry().connector(found.config["connector.class"])
    framework = SOURCE_DEF if kind == "source" else SINK_DEF
    errors = {
        v.name: v.errors
        for v in [*cls().validate(found.config), *framework.validate(found.config)]
        if v.errors
    }
    assert errors == {}
    known = {*cls.config_def().keys, *framework.keys}
    assert set(found.config) <= known
