"""Reads JSON text token by token, with the positions and complaints Connect's clients know. Pure.

Kafka Connect shows its parser's own words for text that is no JSON; clients and tests match on them. Positions
are bytes, counted from 1 in each line.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

SOURCE: Final = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
_VALUES: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_WORDS: Final = {
    b"null": ("VALUE_NULL", None),
    b"true": ("VALUE_TRUE", True),
    b"false": ("VALUE_FALSE", False),
}
NEWLINE: Final = b"\n"
_SPACE: Final = b" \t\r\n"
_CLOSERS: Final = {"Object": "}", "Array": "]"}
_ESCAPES: Final = {
    ord('"'): '"', ord("\\"): "\\", ord("/"): "/", ord("b"): "\b", ord("f"): "\f", ord("n"): "\n", ord("r"): "\r",
    ord("t"): "\t",
}  # fmt: skip
_IDENTIFIER: Final = re.compile(rb"[A-Za-z_$0-9\x80-\xff]*")
_DIGITS: Final = re.compile(rb"[0-9]*")
_PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*')


class SyntaxProblem(Exception):
    """The text is no JSON, at a place."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class Token(NamedTuple):
    """A token: its kind by Jackson's names (`END` after the last), value, and where it begins."""

    kind: str
    value: str | bool | None
    place: str


class Tokens:
    """The tokens of a text, in order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._open: list[tuple[str, str]] = []  # kind of container, where it began
        self._fresh = True  # nothing yet inside the innermost container
        self._after_name = False

    def place(self, at: int | None = None) -> str:
        """Text for a position; the present one when not given."""
        index = self._at if at is None else at
        before = self._data[:index]
        line = before.count(NEWLINE) + 1
        return f"{SOURCE}line: {line}, column: {index - before.rfind(NEWLINE)}]"

    def next(self) -> Token:
        """The next token.

        Raises:
            SyntaxProblem: there is none.
        """
        self._skip()
        if self._after_name:
            self._after_name = False
            return self._value()
        if self._at >= len(self._data):
            return self._end()
        char = self._data[self._at]
        if char in b"}]":
            return self._close(chr(char))
        if self._open and not self._fresh:
            self._comma(char)
        self._fresh = False
        return self._name() if self._open and self._open[-1][0] == "Object" else self._value()

    def _end(self) -> Token:
        if self._open:
            kind, place = self._open[-1]
            raise self._problem(
                f"Unexpected end-of-input: expected close marker for {kind} (start marker at {place})",
                self._at,
            )
        return Token("END", None, self.place())

    def _comma(self, char: int) -> None:
        kind = self._open[-1][0]
        if char != ord(","):
            raise self._unexpected(self._at, f"was expecting comma to separate {kind} entries")
        self._at += 1
        self._skip()
        if self._at >= len(self._data):
            raise self._problem(f"Unexpected end-of-input within/between {kind} entries", self._at)

    def _close(self, closer: str) -> Token:
        kind = "Object" if closer == "}" else "Array"
        if not self._open:
            raise self._problem(f"Unexpected close marker '{closer}': no open {kind} to close", self._at)
        opened, place = self._open[-1]
        if opened != kind:
            raise self._problem(
                f"Unexpected close marker '{closer}': expected '{_CLOSERS[opened]}' (for {opened} starting at {place})",
                self._at,
            )
        token = Token(f"END_{kind.upper()}", None, self.place())
        self._open.pop()
        self._at += 1
        self._fresh = False
        return token

    def _name(self) -> Token:
        start = self._at
        if self._data[start] != ord('"'):
            raise self._unexpected(start, "was expecting double-quote to start field name")
        name = self._string("field name")
        self._skip()
        if self._at >= len(self._data):
            raise self._problem("Unexpected end-of-input within/between Object entries", self._at)
        if self._data[self._at] != ord(":"):
            raise self._unexpected(self._at, "was expecting a colon to separate field name and value")
        self._at += 1
        self._skip()
        if self._at >= len(self._data):
            raise self._problem("Unexpected end-of-input within/between Object entries", self._at)
        self._after_name = True
        return Token("FIELD_NAME", name, self.place(start))

    def _value(self) -> Token:
        start = self._at
        char = self._data[start]
        if char in b"{[":
            kind = "Object" if char == ord("{") else "Array"
            self._open.append((kind, self.place(start)))
            self._at += 1
            self._fresh = True
            return Token(f"START_{kind.upper()}", None, self.place(start))
        if char == ord('"'):
            # Left unread: what is wrong inside a string is found when its value is wanted.
            return Token("VALUE_STRING", None, self.place(start))
        if char in b"-0123456789":
            return self._number(start)
        return self._word(start)

    def text(self) -> str:
        """The value of a VALUE_STRING that `next` has just announced; must be called for each.

        Raises:
            SyntaxProblem: it does not end, or has a wrong escape or character.
        """
        return self._string("VALUE_STRING")

    def _string(self, what: str) -> str:
        self._at += 1
        parts: list[str] = []
        while True:
            found = _PLAIN.match(self._data, self._at)
            assert found is not None
            parts.append(found[0].decode("utf-8", "replace"))
            self._at = found.end()
            if self._at >= len(self._data):
                raise self._problem(f"Unexpected end-of-input in {what}", self._at)
            char = self._data[self._at]
            if char == ord('"'):
                self._at += 1
                return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if char != ord("\\"):
                raise self._problem(
                    f"Illegal unquoted character ((CTRL-CHAR, code {char})): has to be escaped using backslash to be"
                    f" included in {'name' if what == 'field name' else 'string value'}", self._at)  # fmt: skip
            parts.append(self._escape(what))

    def _escape(self, what: str) -> str:
        self._at += 1
        if self._at >= len(self._data):
            raise self._problem(f"Unexpected end-of-input in {what}", self._at)
        char = self._data[self._at]
        self._at += 1
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char != ord("u"):
            raise self._problem(f"Unrecognized character escape {_shown(char)}", self._at - 1)
        for index in range(self._at, self._at + 4):
            if index >= len(self._data):
                raise self._problem("Unexpected end-of-input in character escape sequence", index)
            if self._data[index] not in b"0123456789abcdefABCDEF":
                raise self._unexpected(index, "expected a hex-digit for character escape sequence")
        self._at += 4
        return chr(int(self._data[self._at - 4 : self._at], 16))

    def _number(self, start: int) -> Token:
        at = start + (self._data[start] == ord("-"))
        if self._data[at:].startswith(b"INF") or self._data[at:].startswith(b"Infinity"):
            raise self._not_standard(start, at)
        whole = self._digits(at, "expected digit (0-9) to follow minus sign, for valid numeric value")
        if whole - at > 1 and self._data[at] == ord("0"):
            raise self._problem("Invalid numeric value: Leading zeroes not allowed", at + 1)
        end, kind = whole, "VALUE_NUMBER_INT"
        if self._data[end : end + 1] == b".":
            end, kind = self._digits(end + 1, "Decimal point not followed by a digit"), "VALUE_NUMBER_FLOAT"
        if self._data[end : end + 1].lower() == b"e":
            sign = self._data[end + 1 : end + 2] in (b"+", b"-")
            end = self._digits(end + 1 + sign, "Exponent indicator not followed by a digit")
            kind = "VALUE_NUMBER_FLOAT"
        self._at = end
        return Token(kind, self._data[start:end].decode(), self.place(start))

    def _digits(self, at: int, complaint: str) -> int:
        found = _DIGITS.match(self._data, at)
        assert found is not None
        if found[0]:
            return found.end()
        if at >= len(self._data):
            raise self._problem("Unexpected end-of-input in numeric value", at)
        raise self._problem(
            f"Unexpected character ({_shown(self._data[at])}) in numeric value: {complaint}", at
        )

    def _word(self, start: int) -> Token:
        found = _IDENTIFIER.match(self._data, start)
        assert found is not None
        word = found[0]
        if word in _WORDS:
            kind, value = _WORDS[word]
            self._at = found.end()
            return Token(kind, value, self.place(start))
        if word in (b"NaN", b"Infinity"):
            raise self._not_standard(start, start)
        char = self._data[start]
        if char == ord("+"):
            raise self._problem(
                f"Unexpected character ({_shown(char)}) in numeric value: JSON spec does not allow numbers to have plus"
                " signs: enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow", start + 1)  # fmt: skip
        if char == ord("/"):
            raise self._unexpected(start, "maybe a (non-standard) comment? (not recognized as one since Feature"
                                   " 'ALLOW_COMMENTS' not enabled for parser)")  # fmt: skip
        if char == ord(",") or not word:
            inside = bool(self._open) and char in b",]}"
            raise self._unexpected(
                start, "expected a value" if inside else f"expected a valid value {_VALUES}"
            )
        end = found.end()
        shown = word.decode("utf-8", "replace")
        raise self._problem(
            f"Unrecognized token '{shown}': was expecting {_VALUES}", end + (end < len(self._data))
        )

    def _not_standard(self, start: int, at: int) -> SyntaxProblem:
        found = _IDENTIFIER.match(self._data, at)
        assert found is not None
        word = self._data[start : found.end()].decode("utf-8", "replace")
        return self._problem(
            f"Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
            found.end(),
        )

    def _unexpected(self, at: int, complaint: str) -> SyntaxProblem:
        return self._problem(f"Unexpected character ({_shown(self._data[at])}): {complaint}", at)

    def _problem(self, message: str, at: int) -> SyntaxProblem:
        return SyntaxProblem(message, self.place(at))

    def _skip(self) -> None:
        while self._at < len(self._data) and self._data[self._at] in _SPACE:
            self._at += 1


def _shown(char: int) -> str:
    if char < 32:
        return f"(CTRL-CHAR, code {char})"
    return f"'{chr(char)}' (code {char})"
