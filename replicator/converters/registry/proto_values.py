"""Options and their values in a .proto text. Pure, any thread."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from replicator.converters.registry.proto_options import Text, set_option
from replicator.converters.registry.proto_tokens import Tokens


class OptionTokens(Tokens):
    """Tokens that are read as options, too."""

    def _option_statement(self, options: Message, meta: str) -> None:
        self._option(options, meta)
        self.expect(";")

    def _option(self, options: Message, meta: str) -> None:
        names = self._option_name()
        self.expect("=")
        set_option(options, names, self._value(), meta)

    def _options(self, read: Callable[[], None]) -> None:
        """The list of options in brackets, if there is one; `read` reads each."""
        if self.take("["):
            read()
            while self.take(","):
                read()
            self.expect("]")

    def _option_name(self) -> list[str]:
        names: list[str] = []
        while True:
            if self.take("("):
                names.append(f"({self.name()})")
                self.expect(")")
            else:
                names.append(self._word())
            if not self.take("."):
                return names

    def _value(self) -> Any:
        """A constant: text, number, name, or the text form of a message as lists of pairs."""
        if isinstance(self.peek(), Text):
            return Text(self.text())
        if self.take("{"):
            return self._pairs("}")
        if self.take("<"):
            return self._pairs(">")
        if self.take("["):
            found = []
            while not self.take("]"):
                found.append(self._value())
                self.take(",")
            return found
        sign = "-" if self.take("-") else ""
        self.take("+")
        token = self.next()
        if token[:1].isdigit() or token[:1] == ".":
            return _number(sign + token)
        while self.take("."):
            token += "." + self._word()
        return sign + token

    def _pairs(self, end: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self.take(end):
            name = f"[{self.name()}]" if self.take("[") else self._word()
            if name.startswith("["):
                self.expect("]")
            self.take(":")
            value = self._value()
            if name in found:
                before = found[name]
                value = [*(before if isinstance(before, list) else [before]), value]
            found[name] = value
            self.take(",") or self.take(";")
        return found


def _number(token: str) -> int | float:
    try:
        return int(token, 0) if not re.fullmatch("-?0[0-7]+", token) else int(token, 8)
    except ValueError:
        return float(token)
