"""Include and exclude lists, chosen keys, and masks."""

from __future__ import annotations

import hashlib

import pytest

from connectors.cdc.codec import ColumnCodec
from connectors.cdc.masking import ColumnMasks
from connectors.cdc.selection import KeyColumns, Patterns, Selection
from connectors.cdc.tables import Column
from replicator.api import ConfigError
from replicator.api.schema import INT32, OPTIONAL_STRING


def test_everything_but_the_system_is_selected_by_default() -> None:
    selection = Selection({})
    assert selection.table("public", "t")
    assert selection.column("public", "t", "c")
    assert not any(map(selection.schema, ("pg_catalog", "information_schema", "pg_toast", "pg_temp_3")))
    assert selection.schema("pg_mine")


def test_expressions_are_anchored_and_ignore_case() -> None:
    selection = Selection({"table.include.list": r"public\.orders, sales\..*"})
    assert selection.table("public", "Orders")
    assert not selection.table("public", "orders2")
    assert not selection.table("xpublic", "orders")
    assert selection.table("sales", "anything")


def test_an_exclude_list() -> None:
    selection = Selection({"schema.exclude.list": "audit", "column.exclude.list": r"public\.t\.(a|b)"})
    assert not selection.table("audit", "t")
    assert [c for c in "abc" if selection.column("public", "t", c)] == ["c"]


def test_both_lists_of_a_pair_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        Selection({"table.include.list": "a", "table.exclude.list": "b"})
    assert caught.value.option == "table.exclude.list"


def test_java_expressions() -> None:
    assert Patterns("p", r"\Qa.b\E.*").match("a.bc")
    assert not Patterns("p", r"\Qa.b\E").match("axb")
    assert Patterns("p", r"(?<name>x)y").match("XY")
    assert Patterns("p", r"a{1\,2},b").texts == ["a{1,2}", "b"]
    assert Patterns("p", ["a,b"]).match("a,b")
    assert not Patterns("p", None)
    with pytest.raises(ConfigError) as caught:
        Patterns("table.include.list", "(")
    assert caught.value.option == "table.include.list"


def test_chosen_keys() -> None:
    keys = KeyColumns(r"public\.a:x,y; (.*)\.b:z")
    assert keys.of("public", "a") == ("x", "y")
    assert keys.of("other", "b") == ("z",)
    assert keys.of("public", "c") is None
    assert KeyColumns(None).of("public", "a") is None
    with pytest.raises(ConfigError):
        KeyColumns("public.a")


TEXT = ColumnCodec(OPTIONAL_STRING, placeholder="?")
COLUMN = Column("c", 1043, "varchar", 14)


def masked(option: str, text: str, column: Column = COLUMN) -> tuple[str, dict[str, str]]:
    codec = ColumnMasks({option: r"public\.t\..*"}).apply("public.t", column, TEXT)
    return codec.value(text), dict(codec.schema.parameters)


def test_masks() -> None:
    assert masked("column.mask.with.3.chars", "secret") == ("***", {"masked": "true"})
    assert masked("column.mask.with.0.chars", "secret") == ("", {"masked": "true"})
    assert masked("column.truncate.to.3.chars", "secret") == ("sec", {"truncateLength": "3"})
    digest = hashlib.sha256(b"Nacl" + b"secret").hexdigest()
    assert masked("column.mask.hash.v2.SHA-256.with.salt.Nacl", "secret")[0] == digest[:10]
    long = Column("c", 25, "text")
    assert masked("column.mask.hash.v2.SHA-256.with.salt.Nacl", "secret", long)[0] == digest


def test_the_first_hash_takes_the_form_of_java_streams() -> None:
    long = Column("c", 25, "text")
    option = "column.mask.hash.SHA-256.with.salt.Nacl"
    # NUL takes two bytes, a character outside the first plane two units of three bytes each.
    form = b"\xac\xed\x00\x05t\x00\x0bA\xc3\xa4\xc0\x80\xed\xa0\xbd\xed\xb4\x94"
    assert masked(option, "A\xe4\0\U0001f514", long)[0] == hashlib.sha256(b"Nacl" + form).hexdigest()
    far = hashlib.sha256(b"Nacl" + b"\xac\xed\x00\x05|" + (70000).to_bytes(8) + b"x" * 70000).hexdigest()
    assert masked(option, "x" * 70000, long)[0] == far


def test_null_is_masked_but_not_hashed() -> None:
    for option, null in (
        ("column.mask.with.3.chars", "***"),
        ("column.mask.with.0.chars", ""),
        ("column.truncate.to.3.chars", None),
        ("column.mask.hash.v2.MD5.with.salt.x", None),
    ):
        assert ColumnMasks({option: r"public\.t\..*"}).apply("public.t", COLUMN, TEXT).null == null


def test_masks_leave_other_columns_alone() -> None:
    masks = ColumnMasks({"column.mask.with.3.chars": r"public\.t\.c", "topic.prefix": "x"})
    assert masks.apply("public.t", Column("d", 25, "text"), TEXT) is TEXT
    number = ColumnCodec(INT32, int)
    assert masks.apply("public.t", COLUMN, number) is number


@pytest.mark.parametrize(
    "option", ["column.mask.hash.NOPE.with.salt.x", "column.mask.hash.v2.NOPE.with.salt.x"]
)
def test_hashes_that_cannot_be_matched_are_refused(option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ColumnMasks({option: "a"})
    assert caught.value.option == option
