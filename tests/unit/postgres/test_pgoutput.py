"""pgoutput messages, byte by byte, and arbitrary bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cdc.tables import UNCHANGED, Text
from connectors.postgres import pgoutput
from replicator.api import DataError


def column(value: Text) -> bytes:
    if value is None:
        return b"n"
    if not isinstance(value, str):
        return b"u"
    raw = value.encode()
    return b"t" + struct.pack(">I", len(raw)) + raw


def tuple_(*values: Text) -> bytes:
    return struct.pack(">H", len(values)) + b"".join(map(column, values))


def test_begin_and_commit() -> None:
    begin = pgoutput.decode(b"B" + struct.pack(">QqI", 0x1_0000_0001, 1_000_000, 7))
    assert begin == pgoutput.Begin(0x1_0000_0001, 946_684_801_000_000, 7)
    commit = pgoutput.decode(b"C\0" + struct.pack(">QQq", 5, 9, 0))
    assert commit == pgoutput.Commit(5, 9, 946_684_800_000_000)


def test_relation_with_names_that_are_not_ascii() -> None:
    data = (
        b"R"
        + struct.pack(">I", 16385)
        + "schéma\0täble\0".encode()
        + b"d"
        + struct.pack(">H", 2)
        + b"\1id\0"
        + struct.pack(">Ii", 23, -1)
        + b"\0"
        + "имя\0".encode()
        + struct.pack(">Ii", 1043, 24)
    )
    relation = pgoutput.decode(data)
    assert isinstance(relation, pgoutput.Relation)
    assert (relation.oid, relation.schema, relation.name, relation.identity) == (
        16385,
        "schéma",
        "täble",
        "d",
    )
    assert [(c.name, c.type_oid, c.typmod, c.is_key) for c in relation.columns] == [
        ("id", 23, -1, True),
        ("имя", 1043, 24, False),
    ]


def test_the_empty_schema_name_is_pg_catalog() -> None:
    data = b"R" + struct.pack(">I", 1) + b"\0pg_class\0n" + struct.pack(">H", 0)
    assert pgoutput.decode(data) == pgoutput.Relation(1, "pg_catalog", "pg_class", "n", ())


def test_rare_messages() -> None:
    assert pgoutput.decode(b"O" + struct.pack(">Q", 3) + b"node\0") == pgoutput.Origin(3, "node")
    assert pgoutput.decode(b"Y" + struct.pack(">I", 99) + b"public\0mood\0") == pgoutput.TypeMessage(
        99, "public", "mood"
    )
    truncate = pgoutput.decode(b"T" + struct.pack(">IB", 2, 3) + struct.pack(">II", 1, 2))
    assert truncate == pgoutput.Truncate((1, 2), cascade=True, restart_identity=True)
    message = pgoutput.decode(b"M\1" + struct.pack(">Q", 77) + b"pre\0" + struct.pack(">I", 3) + b"a\0b")
    assert message == pgoutput.LogicalMessage(True, 77, "pre", b"a\0b")


def test_rows() -> None:
    insert = b"I" + struct.pack(">I", 5) + b"N" + tuple_("1", None, "", "été", "x" * 70000)
    assert pgoutput.row_relation(insert) == 5
    assert pgoutput.decode_insert(insert, 5) == ["1", None, "", "été", "x" * 70000]
    update = b"U" + struct.pack(">I", 5) + b"N" + tuple_("1", UNCHANGED)
    assert pgoutput.decode_update(update, 2) == (None, None, ["1", UNCHANGED])
    keyed = b"U" + struct.pack(">I", 5) + b"K" + tuple_("1", None) + b"N" + tuple_("2", "b")
    assert pgoutput.decode_update(keyed, 2) == ("K", ["1", None], ["2", "b"])
    assert pgoutput.decode(keyed) == pgoutput.Update(5, "K", ["1", None], ["2", "b"])
    delete = b"D" + struct.pack(">I", 5) + b"O" + tuple_("1", "b")
    assert pgoutput.decode_delete(memoryview(delete), 2) == ("O", ["1", "b"])
    assert pgoutput.decode(delete) == pgoutput.Delete(5, "O", ["1", "b"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Z",
        b"B",
        b"I\0\0\0\1",
        b"I\0\0\0\1X" + tuple_("1"),
        b"I\0\0\0\1N" + tuple_("1")[:-1],
        b"I\0\0\0\1N" + tuple_("1") + b"!",
        b"I\0\0\0\1N\0\1b\0\0\0\1x",
        b"I\0\0\0\1N\0\1t\0\0\0\1\xff",
        b"I\0\0\0\1N\0\1t\xff\xff\xff\xff",
        b"D\0\0\0\1N" + tuple_("1"),
        b"R\0\0\0\1name",
        b"R\0\0\0\1\xff\0t\0d\0\0",
        b"T\xff\xff\xff\xff\0",
        b"M\0" + struct.pack(">Q", 1) + b"p\0\0\0\0\x09abc",
    ],
)
def test_bytes_that_make_no_sense(data: bytes) -> None:
    with pytest.raises(DataError):
        pgoutput.decode(data)


def test_another_number_of_columns_than_the_relation_has() -> None:
    with pytest.raises(DataError, match="has 2 columns, its relation has 3"):
        pgoutput.decode_tuple(tuple_("1", "2"), 0, 3)


def first_byte(data: bytes) -> bytes:
    return b"BCORYIUDTM"[data[0] % 10 : data[0] % 10 + 1] + data[1:] if data else data


@given(st.binary(max_size=200).map(first_byte))
def test_arbitrary_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        message = pgoutput.decode(data)
    except DataError:
        return
    assert type(message).__module__ == pgoutput.__name__


@given(st.binary(max_size=100), st.integers(0, 120), st.integers(0, 5))
def test_arbitrary_tuples_are_decoded_or_refused(data: bytes, pos: int, n: int) -> None:
    try:
        values, end = pgoutput.decode_tuple(data, pos, n)
    except DataError:
        return
    assert len(values) == n
    assert pos + 2 <= end <= len(data)


TEXTS = st.lists(st.one_of(st.text(), st.none(), st.just(UNCHANGED)), max_size=8)


@given(TEXTS, st.binary(max_size=3))
def test_tuples_come_back(values: list[Text], before: bytes) -> None:
    data = before + tuple_(*values)
    assert pgoutput.decode_tuple(data, len(before), len(values)) == (values, len(data))
