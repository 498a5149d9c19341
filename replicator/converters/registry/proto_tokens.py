"""The words of a .proto text, one after the other. Pure, any thread."""

from __future__ import annotations

import re
from typing import Final

from replicator.api.errors import SchemaError
from replicator.converters.registry.proto_options import Text

_TOKEN: Final = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(?![A-Za-z_]))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Tokens:
    """A text's tokens and the place in them; what each method takes, it goes past."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        for match in _TOKEN.finditer(text):
            if match["text"] is not None:
                self.tokens.append(Text(_unquoted(match["text"])))
            elif match.lastgroup is not None:
                self.tokens.append(match[0])
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        if self.at >= len(self.tokens):
            raise SchemaError("The schema ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, token: str) -> bool:
        if self.peek() == token and not isinstance(self.peek(), Text):
            self.at += 1
            return True
        return False

    def expect(self, token: str) -> None:
        found = self.next()
        if found != token or isinstance(found, Text):
            raise SchemaError(f"Expected {token!r} but found {found!r}")

    def name(self) -> str:
        """A name, with dots."""
        made = "." if self.take(".") else ""
        made += self._word()
        while self.take("."):
            made += "." + self._word()
        return made

    def _word(self) -> str:
        found = self.next()
        if isinstance(found, Text) or not (found[:1].isalpha() or found[:1] == "_"):
            raise SchemaError(f"Expected a name but found {found!r}")
        return found

    def integer(self) -> int:
        sign = -1 if self.take("-") else 1
        found = self.next()
        try:
            base = 8 if re.fullmatch("0[0-7]+", found) else 0
            return sign * int(found, base)
        except ValueError:
            raise SchemaError(f"Expected a number but found {found!r}") from None

    def text(self) -> str:
        found = self.next()
        if not isinstance(found, Text):
            raise SchemaError(f"Expected a string but found {found!r}")
        while isinstance(self.peek(), Text):
            found = Text(found + self.next())
        return str(found)


def _unquoted(literal: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "x":
            return chr(int(code[1:], 16))
        if code[0].isdigit():
            return chr(int(code, 8))
        if code[0] in "uU":
            return chr(int(code[1:], 16))
        return _ESCAPES.get(code, code)

    return re.sub(
        r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)",
        replace,
        literal[1:-1],
        flags=re.DOTALL,
    )
