"""Array literals: what the server would print comes back; arbitrary text is decoded or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.postgres.arrays import json_array, json_number, json_text, parse_array
from replicator.api import DataError


def literal(value: Any) -> str:
    """An array as Postgres prints it."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "{" + ",".join(map(literal, value)) + "}"
    if value and value.upper() != "NULL" and not set(value) & set('{}",\\ \t\n\r\v\f'):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


TEXTS = st.lists(
    st.one_of(st.none(), st.text(), st.sampled_from(["NULL", "null", "", "{}", "a b", '"'])), min_size=1
)


@given(TEXTS)
def test_texts_come_back(values: list[str | None]) -> None:
    assert parse_array(literal(values), None) == values
    assert json.loads(json_array(json_text)(literal(values))) == values


@given(st.lists(st.tuples(TEXTS, TEXTS).map(list), min_size=1))
def test_dimensions_come_back(values: list[list[list[str | None]]]) -> None:
    assert parse_array(literal(values), None) == values
    assert parse_array(f"[0:{len(values) - 1}][1:2][-1:3]={literal(values)}", None) == values


@given(st.text('{}",\\ abN=[]:1'))
def test_arbitrary_text_is_decoded_or_refused(text: str) -> None:
    try:
        value = parse_array(text, None)
    except DataError:
        return
    assert isinstance(value, list)


def test_elements_are_decoded() -> None:
    assert parse_array("{1,NULL,3}", int) == [1, None, 3]
    assert parse_array('{{"1"},{2}}', int) == [[1], [2]]
    assert parse_array("{1;2}", int, ";") == [1, 2]


@pytest.mark.parametrize("text", ["1", "-0.5", "1e+300", "1.50"])
def test_numbers_keep_their_digits(text: str) -> None:
    assert json_number(text) == text


@pytest.mark.parametrize("text", ["NaN", "Infinity", "$1.00", "01", "1."])
def test_what_json_cannot_say_is_a_string(text: str) -> None:
    assert json_number(text) == json.dumps(text)
