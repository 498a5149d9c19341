"""A registry in memory of its own for each test."""

import itertools

import pytest

from replicator.converters.registry import local

_numbers = itertools.count()


@pytest.fixture
def scope():
    name = f"mock://test-{next(_numbers)}"
    yield name
    local.drop_scope(name)
