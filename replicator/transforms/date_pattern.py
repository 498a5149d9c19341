"""Patterns of Java's SimpleDateFormat, cut into fields and literal text. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

_LETTERS: Final = "GyYMLwWDdFEuaHkKhmsSzZX"


class Token(NamedTuple):
    """A pattern letter with its width, or literal text (letter "")."""

    letter: str
    width: int
    text: str = ""


def tokens_of(pattern: str) -> list[Token]:
    """The fields and texts of a pattern.

    Raises:
        ValueError: the pattern is none that Java takes.
    """
    tokens: list[Token] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "'":
            text, at = _quoted(pattern, at)
            _add_literal(tokens, text)
            continue
        if not ("a" <= character <= "z" or "A" <= character <= "Z"):
            _add_literal(tokens, character)
            at += 1
            continue
        if character not in _LETTERS:
            raise ValueError(f"Illegal pattern character '{character}'")
        end = at
        while end < len(pattern) and pattern[end] == character:
            end += 1
        if character == "X" and end - at > 3:
            raise ValueError("invalid ISO 8601 format: length=" + str(end - at))
        tokens.append(Token(character, end - at))
        at = end
    return tokens


def _quoted(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("''", at):
        return "'", at + 2
    text: list[str] = []
    at += 1
    while True:
        end = pattern.find("'", at)
        if end < 0:
            raise ValueError("Unterminated quote")
        text.append(pattern[at:end])
        if not pattern.startswith("''", end):
            return "".join(text), end + 1
        text.append("'")
        at = end + 2


def _add_literal(tokens: list[Token], text: str) -> None:
    if tokens and not tokens[-1].letter:
        text = tokens.pop().text + text
    tokens.append(Token("", 0, text))


def is_number(token: Token) -> bool:
    """Whether a field is written in digits."""
    return token.letter in "yYwWDdFuHkKhmsS" or (token.letter in "ML" and token.width <= 2)
