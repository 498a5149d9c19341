"""Bytes of the group protocol, against vectors laid out by hand from Connect's schemas."""

from __future__ import annotations

import pytest

from replicator.api.errors import DataError
from replicator.herder.group_protocol import (
    CONFIG_MISMATCH,
    Assignment,
    WorkerState,
    decode_assignment,
    decode_state,
    encode_assignment,
    encode_state,
)
from replicator.herder.work import NOTHING, work

URL = "http://w1:8083/"
URL_BYTES = "000f" + URL.encode().hex()

STATE_0 = "0000" + URL_BYTES + "0000000000000011"
STATE_1_NONE = "0001" + URL_BYTES + "0000000000000011" + "ffffffff"

# version 2, no error, leader "m-1", its URL, offset 17
_HEAD_2 = "0002" + "0000" + "0003" + b"m-1".hex() + URL_BYTES + "0000000000000011"
# two entries: "a" with the connector (-1) and task 0, "b" with tasks 1 and 2
_WORK = (
    "00000002"
    + "0001" + b"a".hex() + "00000002" + "ffffffff" + "00000000"
    + "0001" + b"b".hex() + "00000002" + "00000001" + "00000002"
)  # fmt: skip
ASSIGNMENT_2 = _HEAD_2 + _WORK + ("00000001" + "0001" + b"c".hex() + "00000001" + "ffffffff") + "000493e0"
ASSIGNMENT_0 = "0000" + "0001" + "0003" + b"m-1".hex() + URL_BYTES + "0000000000000011" + "00000000"

GIVEN_2 = Assignment(2, 0, "m-1", URL, 17, work(["a"], [("a", 0), ("b", 1), ("b", 2)]), work(["c"]), 300_000)


@pytest.mark.parametrize(
    ("version", "state", "text"),
    [
        (0, WorkerState(URL, 17), STATE_0),
        (1, WorkerState(URL, 17), STATE_1_NONE),
        (2, WorkerState(URL, 17, GIVEN_2), None),
    ],
)
def test_metadata(version, state, text):
    data = encode_state(version, state)
    if text is not None:
        assert data.hex() == text
    else:
        inner = bytes.fromhex(ASSIGNMENT_2)
        assert data.hex() == "0002" + STATE_0[4:] + f"{len(inner):08x}" + inner.hex()
    assert decode_state(data) == state


def test_assignments():
    assert encode_assignment(2, GIVEN_2).hex() == ASSIGNMENT_2
    assert decode_assignment(bytes.fromhex(ASSIGNMENT_2)) == GIVEN_2
    failed = Assignment(0, CONFIG_MISMATCH, "m-1", URL, 17)
    assert encode_assignment(0, failed).hex() == ASSIGNMENT_0
    assert decode_assignment(bytes.fromhex(ASSIGNMENT_0)) == failed
    assert failed.failed


def test_revoked_may_be_null():
    """Java writes null when it has no list of what to revoke."""
    data = bytes.fromhex(_HEAD_2 + "00000000" + "ffffffff" + "00000000")
    assert decode_assignment(data).revoked == NOTHING


def test_foreign_bytes_are_refused():
    with pytest.raises(DataError):
        decode_assignment(b"\x00\x02\x00")
    with pytest.raises(DataError):
        decode_state(bytes.fromhex(STATE_0)[:-3])
