"""Parameters of the source URL: what protects a connection is used or refused, never passed over."""

from __future__ import annotations

import pytest

from connectors.postgres.database import PostgresDatabase
from replicator.api import ConfigError


@pytest.mark.parametrize(
    "parameter", ["sslcrl=/x", "channel_binding=require", "ssl_min_protocol_version=TLSv1.3"]
)
def test_what_protects_is_not_passed_over(parameter: str) -> None:
    with pytest.raises(ConfigError, match=parameter.partition("=")[0]):
        PostgresDatabase(f"postgresql://u:secret@h/db?sslmode=require&{parameter}")


def test_known_parameters() -> None:
    PostgresDatabase("postgresql://u@h/db?sslmode=verify-full&sslrootcert=/ca&sslcert=/c&sslkey=/k")
