"""Options and fixtures for every test."""

from __future__ import annotations

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from scripts.devservers.place import DEV

set_hypothesis_home_dir(DEV / "hypothesis")  # nothing is left behind beside `.dev` and `.venv`
pytest_plugins = ["tests.support.fix_servers"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-services",
        action="store_true",
        help="a test whose server cannot be had fails instead of being skipped",
    )
