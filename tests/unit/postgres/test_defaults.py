"""Constant defaults, and the modes of `configuration_based`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.cdc.tables import Column, TypeFacts
from connectors.postgres.defaults import is_constant
from connectors.postgres.options import TypeOptions
from connectors.postgres.snapshot_mode import DATA, STREAM, snapshot_mode
from connectors.postgres.types import column_codec
from replicator.api import ConfigError


@pytest.mark.parametrize(
    "expression",
    [
        "7", "12.50", "(-1)", "true", "'it''s'::text", "'abc'::character varying", "'-5'::integer",
        "'1'::\"bit\"", "'2020-01-01 00:00:00+00'::timestamp with time zone", "'ok'::shop.\"Mood\"",
        "'00:00:01'::interval day to second(3)", "'{1,2}'::integer[]", "B'1010'::\"bit\"",
    ],
)  # fmt: skip
def test_literals_are_constants(expression: str) -> None:
    assert is_constant(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "now()", "nextval('s'::regclass)", "(1 + 2)", "('now'::text)::date", "CURRENT_DATE", "ARRAY[1, 2]",
        "'a'::text || 'b'::text", "NULL::text", "lower('A'::text)", "'x'::text COLLATE \"C\"",
    ],
)  # fmt: skip
def test_what_is_computed_is_no_constant(expression: str) -> None:
    assert not is_constant(expression)


def default(column: Column) -> Any:
    codec = column_codec(column, TypeOptions(defaults="all"))
    assert codec is not None
    assert codec.filler == (codec.schema.default if codec.schema.default is not None else codec.filler)
    return codec.schema.default


def test_defaults_are_values_of_their_type() -> None:
    number = Column("c", 23, "int4", default="7", optional=False)
    assert default(number) == 7
    assert default(replace(number, default=None)) is None
    assert default(replace(number, default="not a number")) is None
    assert default(Column("c", 1042, "bpchar", 8, default="ab  ")) == "ab"
    assert default(Column("c", 25, "text", default="it's")) == "it's"
    mood = TypeFacts(kind="enum", name="mood", labels=("sad", "ok"))
    assert default(Column("c", 99999, "mood", type_facts=mood, default="ok")) == "ok"
    assert default(Column("c", 869, "inet", default="10.0.0.1")) is None
    assert default(Column("c", 1700, "numeric", default="3.25")) is None


def test_nullable_columns_keep_their_nulls() -> None:
    """A schema's default would be written instead of NULL."""
    nullable = Column("c", 23, "int4", default="7")
    for column, found in ((nullable, None), (replace(nullable, optional=False), 7)):
        codec = column_codec(column, TypeOptions())
        assert codec is not None
        assert codec.schema.default == found


@pytest.mark.parametrize(
    ("data", "stream", "mode"),
    [(True, True, "always"), (True, False, "initial_only"), (False, True, "no_data")],
)
def test_configured_modes(data: bool, stream: bool, mode: str) -> None:
    assert snapshot_mode({"snapshot.mode": "configuration_based", DATA: data, STREAM: stream}) == mode
    assert snapshot_mode({"snapshot.mode": "initial", DATA: data, STREAM: stream}) == "initial"


def test_a_configuration_that_does_nothing_is_refused() -> None:
    with pytest.raises(ConfigError):
        snapshot_mode({"snapshot.mode": "configuration_based", DATA: False, STREAM: False})
