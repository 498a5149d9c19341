"""A group of two workers for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fix_servers import KafkaServer
from tests.support.worker_group import Group


@pytest.fixture(scope="module")
def group(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """Two workers that every test of a module shares."""
    folder = tmp_path_factory.mktemp("group")
    made = Group(folder, kafka.bootstrap, f"{folder.name}-{id(folder)}-")
    made.add(2)
    yield made
    for worker in made.living:
        worker.stop()
