"""Databases for tests of the SQL source."""

from __future__ import annotations

import pytest

from tests.support.fix_servers import Database


@pytest.fixture(params=["pg_database", "mysql_database", "mariadb_database"])
def database(request: pytest.FixtureRequest) -> Database:
    """A fresh database of each kind in turn."""
    found: Database = request.getfixturevalue(request.param)
    return found
