"""Options and fixtures for every test."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.support.fix_servers"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-services",
        action="store_true",
        help="a test whose server cannot be had fails instead of being skipped",
    )
