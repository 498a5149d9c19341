"""Constant defaults of columns, in the form in which the log has values; reader thread.

A default is taken when its expression is one literal: what a function gives is not a property of the column. The
server itself turns the literal into the text of the column's type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated

_LITERAL: Final = re.compile(
    r"""\(?-?\d+(\.\d+)?([eE][+-]?\d+)?\)? | true | false | [BX]?'([^']|'')*'""", re.VERBOSE
)
_CAST: Final = re.compile(r'(::("[^"]+"|\w+)(\."[^"]+"|\.\w+)?( [a-z]+)*(\([\d, -]+\))?( [a-z]+)*(\[\])*)*')

Place = tuple[int, str]
"""Object id of a table, and a column's name."""


def is_constant(expression: str) -> bool:
    """Whether a default, as the server prints it, is one literal, with casts or without."""
    literal = _LITERAL.match(expression)
    return literal is not None and _CAST.fullmatch(expression, literal.end()) is not None


def texts(connection: PlainConnection, expressions: Mapping[Place, tuple[str, str]]) -> dict[Place, str]:
    """Texts of the constants among the defaults.

    Args:
        connection: where to ask.
        expressions: of each column its default and its type, both as the server prints them.
    """
    wanted = {place: found for place, found in expressions.items() if is_constant(found[0])}
    if not wanted:
        return {}
    # The server wrote the expressions, from its own catalog.
    listed = ", ".join(f"format('%s', ({value})::{type_})" for value, type_ in wanted.values())
    with translated("reading defaults of columns"):
        rows = connection.execute(f"SELECT ARRAY[{listed}]".encode()).fetchall()
    return dict(zip(wanted, rows[0][0], strict=True))
