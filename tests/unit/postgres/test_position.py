"""Stored positions: what is skipped after a restart, what may be acknowledged, what survives storing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.postgres.position import (
    NONE_YET,
    CopyOffset,
    CopyState,
    Position,
    SlotIdentity,
    StreamOffset,
    TableCopy,
    TransactionPart,
    base_of,
    durable_floor,
    load,
    parse_identity,
)
from replicator.api import ConnectError

IDENTITY = SlotIdentity("7441", 1, "slot", 100)


def test_whole_transactions_before_the_floor_are_skipped() -> None:
    position = Position(floor=200, commit=150, ordinal=8)
    assert position.delivered(150) is None
    assert position.delivered(199) is None
    assert position.delivered(200) == NONE_YET


def test_a_transaction_handed_out_in_part_goes_on_behind_its_last_record() -> None:
    position = Position(floor=200, commit=250, ordinal=12)
    assert position.delivered(220) is None
    assert position.delivered(250) == 12
    assert position.delivered(300) == NONE_YET


def test_a_transaction_that_starts_where_the_last_one_ended_is_not_skipped() -> None:
    """Postgres 17 and later: end_lsn of one commit can be the next one's position."""
    assert Position(floor=200, commit=150, ordinal=4).delivered(200) == NONE_YET


def test_identity_survives_storing_and_a_promotion_but_not_a_recreation() -> None:
    assert parse_identity(IDENTITY.text()) == IDENTITY
    assert IDENTITY.digest() == IDENTITY._replace(timeline=2).digest()
    assert IDENTITY.digest() != IDENTITY._replace(point=101).digest()


tables = st.builds(
    TableCopy,
    point=st.integers(0, 2**63),
    done=st.just(False),
    after=st.none() | st.tuples(st.text(), st.text()),
    rows=st.integers(0, 10**9),
    files=st.text(alphabet="0123456789abcdef", max_size=12),
    bare=st.booleans(),
)


@given(st.dictionaries(st.text(min_size=1), tables), st.booleans(), st.integers(1, 2**63))
def test_a_copy_survives_storing(copy: dict[str, TableCopy], copying: bool, floor: int) -> None:
    position = Position(floor, identity=IDENTITY, copy=CopyState(copy), copying=copying)
    stored = json.loads(json.dumps(CopyOffset(position, 5).to_map()))
    assert all(isinstance(v, str | int | bool) for v in stored.values())
    assert load(stored) == position


def test_a_streamed_offset_survives_storing() -> None:
    copy = CopyState({"public.t": TableCopy(7, done=True)})
    part = TransactionPart(base_of(IDENTITY, copy), 200, 250, 99, 1_000)
    stored = StreamOffset(part, 12, 240, "INSERT").to_map()
    assert stored["lsn_commit"] == durable_floor(stored) == 200
    assert (stored["lsn"], stored["txId"], stored["messageType"], stored["ts_usec"]) == (
        240,
        99,
        "BEGIN",  # further rows may be at this place: Debezium would pass over them
        1_000,
    )
    assert load(stored) == Position(200, 250, 12, IDENTITY, copy)
    finished = StreamOffset(part.finished(260), 12, 240, "INSERT").to_map()
    assert (durable_floor(finished), finished["messageType"]) == (260, "INSERT")


def test_debeziums_offsets_are_understood() -> None:
    streamed = {
        "lsn": 300,
        "lsn_proc": 300,
        "lsn_commit": 250,
        "txId": 5,
        "ts_usec": 1,
        "messageType": "INSERT",
    }
    assert load(streamed) == Position(floor=250)
    assert load({"lsn": 300, "lsn_proc": 290}) == Position(floor=290)
    unfinished = {
        "lsn": 300,
        "snapshot": "INITIAL",
        "snapshot_completed": False,
        "last_snapshot_record": False,
    }
    assert load(unfinished) is None
    assert load(unfinished | {"snapshot_completed": True}) == Position(floor=300)


def test_an_offset_without_position_is_refused() -> None:
    with pytest.raises(ConnectError, match="no position"):
        load({"something": 1})
