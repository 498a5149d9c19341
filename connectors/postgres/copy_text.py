r"""COPY's text format: one line per row, tabs between columns, \N for NULL, backslash escapes.

Pure functions, used by the thread that copies a table. A line without a backslash, which is nearly
every line, costs one split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from replicator.api import DataError

_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def decode_copy_line(line: bytes | str) -> list[str | None]:
    """The column texts of one line; a trailing newline is allowed.

    Raises:
        DataError: the line is not UTF-8.
    """
    text = line if isinstance(line, str) else _utf8(line)
    if text.endswith("\n"):
        text = text[:-1]
    if "\\" not in text:
        return text.split("\t")  # type: ignore[return-value]
    return [_value(part) for part in text.split("\t")]


def decode_copy_chunk(chunk: bytes) -> Iterator[list[str | None]]:
    """The rows of a chunk of whole lines.

    Raises:
        DataError: the chunk is not UTF-8.
    """
    text = _utf8(chunk)
    if not text:
        return
    if text.endswith("\n"):
        text = text[:-1]
    if "\\" not in text:
        for line in text.split("\n"):
            yield line.split("\t")  # type: ignore[misc]
        return
    for line in text.split("\n"):
        if "\\" in line:
            yield [_value(part) for part in line.split("\t")]
        else:
            yield line.split("\t")  # type: ignore[misc]


def _value(text: str) -> str | None:
    if "\\" not in text:
        return text
    if text == "\\N":
        return None
    return _ESCAPE.sub(_unescape, text)


def _unescape(match: re.Match[str]) -> str:
    body = match[1]
    if body in _CONTROL:
        return _CONTROL[body]
    if body[0] == "x" and len(body) > 1:
        return chr(int(body[1:], 16))
    if body[0] in "01234567":
        return chr(int(body, 8))
    return body


def _utf8(data: bytes) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"A copied row is not valid UTF-8: {error}") from None
