"""Encoders of a whole configuration: selection, masks, names and types together."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.cdc.masking import mask_options
from connectors.cdc.tables import Column, Table
from connectors.postgres.config import CONFIG
from connectors.postgres.connector import PostgresConnector
from connectors.postgres.encoders import Encoders
from replicator.api import ConfigError

BASE = {
    "topic.prefix": "srv",
    "database.hostname": "h",
    "database.user": "u",
    "database.dbname": "app",
}
TABLE = Table(
    "public",
    "my people",
    (
        Column("id", 20, "int8", optional=False, key_position=1),
        Column("name", 25, "text"),
        Column("secret", 25, "text"),
    ),
)


def encoders(**options: str) -> Encoders:
    config = BASE | {name.replace("__", "."): value for name, value in options.items()}
    return Encoders({**mask_options(config), **CONFIG.parse(config)})


def row(made: Encoders) -> dict[str, Any]:
    return made.encoder(TABLE).row(["1", "anne", "pin"])


def test_masks_reach_the_rows() -> None:
    made = encoders(column__mask__with__2__chars=r"public\.my people\.secret")
    assert row(made) == {"id": 1, "name": "anne", "secret": "**"}


def test_excluded_columns_and_unicode_names() -> None:
    made = encoders(
        column__exclude__list=r".*\.secret",
        topic__naming__strategy="io.debezium.schema.SchemaUnicodeTopicNamingStrategy",
    )
    assert row(made) == {"id": 1, "name": "anne"}
    assert made.encoder(TABLE).topic == "srv.public.my_u0020people"


def test_two_tables_of_one_topic_are_refused() -> None:
    made = encoders()
    assert made.encoder(TABLE).topic == "srv.public.my_people"
    with pytest.raises(ConfigError):
        made.encoder(Table("public", "my_people", TABLE.columns))


def test_a_wrong_mask_is_found_by_validation() -> None:
    config = BASE | {"column.mask.hash.v2.NOPE.with.salt.x": "a"}
    errors = [e for value in PostgresConnector().validate(config) for e in value.errors]
    assert any("unknown algorithm NOPE" in e for e in errors)
