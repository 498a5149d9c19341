"""Words of the expression language of Filter and ContentBasedRouter (a part of Groovy, and of JavaScript). Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

_OPERATORS: Final = (
    "===", "!==", "==~", "<=>", "!in",
    "==", "!=", "=~", "<=", ">=", "&&", "||", "??", "?.", "?:", "..", "->", "=>",
    "+", "-", "*", "/", "%", "<", ">", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}", ";", "&", "|", "^",
)  # fmt: skip
_NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)([lLiIgGdDfF]?)(?![A-Za-z0-9_])", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_LONGEST: Final = 20_000


class SyntaxProblem(Exception):
    """The text is no expression of this language."""


class Token(NamedTuple):
    """One word.

    Attributes:
        kind: number, text, template (a text with `${...}` parts), name, operator or end.
        value: the number, the text, a list of texts and sources of expressions, or the word itself.
        at: where it starts.
    """

    kind: str
    value: Any
    at: int


def tokens(source: str) -> list[Token]:
    """The words of an expression, with an end.

    Raises:
        SyntaxProblem: a character belongs to no word.
    """
    if len(source) > _LONGEST:
        raise SyntaxProblem("the expression is too long")
    found: list[Token] = []
    at = 0
    while True:
        at = _skip(source, at)
        if at >= len(source):
            return [*found, Token("end", "end of the expression", at)]
        token, at = _next(source, at, found[-1] if found else None)
        found.append(token)


def _skip(source: str, at: int) -> int:
    while at < len(source):
        comment = _COMMENT.match(source, at)
        if comment is not None:
            at = comment.end()
        elif source[at].isspace():
            at += 1
        else:
            break
    return at


def _next(source: str, at: int, before: Token | None) -> tuple[Token, int]:
    character = source[at]
    if character.isascii() and character.isdigit():
        return _number(source, at)
    if character in "'\"`":
        return _text(source, at)
    name = _NAME.match(source, at)
    if name is not None:
        return Token("name", name[0], at), name.end()
    if character == "/" and not _is_operand(before):
        return _pattern(source, at)
    for operator in _OPERATORS:
        if source.startswith(operator, at) and not (
            operator == "!in" and _NAME.match(source, at + 3) is not None
        ):
            return Token("operator", operator, at), at + len(operator)
    raise SyntaxProblem(f"unexpected {character!r} at position {at}")


def _is_operand(token: Token | None) -> bool:
    """Whether a slash behind this word divides."""
    if token is None:
        return False
    if token.kind == "operator":
        return token.value in (")", "]", "}")
    return token.value not in ("return", "in")


def _number(source: str, at: int) -> tuple[Token, int]:
    found = _NUMBER.match(source, at)
    if found is None:
        raise SyntaxProblem(f"no number at position {at}")
    text, suffix = found.groups()
    value: Any
    if suffix.lower() in ("d", "f") and suffix:
        value = float(text)
    else:
        value = int(text) if text.isdigit() else Decimal(text)
    return Token("number", value, at), found.end()


def _pattern(source: str, at: int) -> tuple[Token, int]:
    """Text between slashes, where only the slash is escaped."""
    end = at + 1
    while end < len(source) and source[end] != "/":
        end += 2 if source[end] == "\\" else 1
    if end >= len(source):
        raise SyntaxProblem(f"the pattern at position {at} has no end")
    return Token("text", source[at + 1 : end].replace("\\/", "/"), at), end + 1


def _text(source: str, at: int) -> tuple[Token, int]:
    quote = source[at]
    if source.startswith(quote * 3, at):
        quote *= 3
    templated = quote[0] != "'"
    parts: list[tuple[str, str]] = []
    text: list[str] = []
    end = at + len(quote)
    while not source.startswith(quote, end):
        if end >= len(source):
            raise SyntaxProblem(f"the text at position {at} has no end")
        if source[end] == "\\":
            character, end = _escaped(source, end)
            text.append(character)
        elif templated and source[end] == "$" and (inner := _inner(source, end)) is not None:
            parts += [("text", "".join(text)), ("source", inner[0])]
            text, end = [], inner[1]
        else:
            text.append(source[end])
            end += 1
    end += len(quote)
    if not parts:
        return Token("text", "".join(text), at), end
    return Token("template", [*parts, ("text", "".join(text))], at), end


def _inner(source: str, at: int) -> tuple[str, int] | None:
    """The expression behind a dollar sign, and where the text goes on."""
    if not source.startswith("${", at):
        dotted = re.compile(r"\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)").match(source, at)
        return None if dotted is None else (dotted[1], dotted.end())
    depth, end = 1, at + 2
    while end < len(source):
        depth += {"{": 1, "}": -1}.get(source[end], 0)
        if depth == 0:
            return source[at + 2 : end], end + 1
        end += 1
    raise SyntaxProblem(f"'${{' at position {at} has no end")


def _escaped(source: str, at: int) -> tuple[str, int]:
    following = source[at + 1 : at + 2]
    if following == "u":
        digits = source[at + 2 : at + 6]
        if len(digits) == 4 and all(d in "0123456789abcdefABCDEF" for d in digits):
            return chr(int(digits, 16)), at + 6
    if not following:
        raise SyntaxProblem("the text ends in a backslash")
    return _ESCAPES.get(following, following), at + 2
