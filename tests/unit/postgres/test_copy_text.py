"""COPY's text format."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.postgres.copy_text import decode_copy_chunk, decode_copy_line
from replicator.api import DataError

ESCAPES = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def line(values: list[str | None]) -> bytes:
    """A line as the server writes it."""
    texts = ("\\N" if v is None else "".join(ESCAPES.get(c, c) for c in v) for v in values)
    return ("\t".join(texts) + "\n").encode()


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"1\tabc\t\n", ["1", "abc", ""]),
        (b"1\t\\N\n", ["1", None]),
        (b"\\\\N\n", ["\\N"]),
        (b"a\\tb\\nc\\\\d\n", ["a\tb\nc\\d"]),
        (b"\\101\\x41\n", ["AA"]),
        (b"\\.x\n", [".x"]),
        (b"\n", [""]),
    ],
)
def test_lines(data: bytes, values: list[str | None]) -> None:
    assert decode_copy_line(data) == values
    assert decode_copy_line(data.decode().removesuffix("\n")) == values


ROWS = st.lists(
    st.lists(
        st.one_of(st.none(), st.text(st.characters(exclude_characters="\0", codec="utf-8"))), min_size=1
    ),
    max_size=4,
)


@given(ROWS)
def test_rows_come_back(rows: list[list[str | None]]) -> None:
    lines = [line(row) for row in rows]
    assert [decode_copy_line(data) for data in lines] == rows
    assert list(decode_copy_chunk(b"".join(lines))) == rows


def test_characters_that_only_look_like_line_ends_stay() -> None:
    assert list(decode_copy_chunk("a\u2028b\x85c\n1\\t2\n".encode())) == [["a\u2028b\x85c"], ["1\t2"]]


def test_another_encoding_is_refused() -> None:
    with pytest.raises(DataError):
        decode_copy_line(b"\xff\n")
    with pytest.raises(DataError):
        list(decode_copy_chunk(b"\xff\n"))
