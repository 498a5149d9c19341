r"""Regular expressions and replacement texts written for Java, run by `re`. Pure.

Options of Connect and Debezium hold Java patterns. What differs in everyday patterns is translated: named
groups `(?<name>...)`, `\Q...\E`, POSIX classes `\p{Alpha}`, `\h`, `\z`, and `$1`, `${name}` in replacements.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.option_types import invalid

_QUOTED: Final = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
_NAMED: Final = re.compile(r"\(\?<(?=[A-Za-z])")
_NAME: Final = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}")
_FLAGS: Final = re.compile(r"\(\?([idmsuxU]+|-[imsx]+|[idmsuxU]+-[imsx]+)\)")
_REFERENCE: Final = re.compile(r"\\k<([A-Za-z][A-Za-z0-9]*)>")
_LETTERS: Final = (
    r"a-zA-Z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u2c00-\u2fef\u3001-\ud7ff"
)
_ESCAPES: Final = {
    r"\p{Alpha}": "a-zA-Z",
    r"\p{Digit}": "0-9",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{Upper}": "A-Z",
    r"\p{Lower}": "a-z",
    r"\p{Lu}": "A-Z",
    r"\p{Ll}": "a-z",
    r"\p{L}": _LETTERS,
    r"\p{Punct}": r"!-/:-@\[-`{-~",
    r"\p{Space}": r" \t\n\x0b\f\r",
    r"\p{XDigit}": "0-9a-fA-F",
    r"\p{IsAlphabetic}": _LETTERS,
    r"\h": r" \t\xa0",
}


@lru_cache(maxsize=256)
def compile_java(pattern: str) -> re.Pattern[str]:
    """The compiled pattern.

    Raises:
        re.error: it is none, or uses what `re` lacks.
    """
    return re.compile(_translated(pattern), re.ASCII)


def _translated(pattern: str) -> str:
    text = _QUOTED.sub(lambda found: re.escape(found[1]), pattern)
    text = _scoped(_REFERENCE.sub(r"(?P=\1)", _NAMED.sub("(?P<", text)).replace(r"\z", r"\Z"))
    if not any(escape in text for escape in _ESCAPES):
        return text
    out, at, in_class = [], 0, False
    while at < len(text):
        escape = next((e for e in _ESCAPES if text.startswith(e, at)), None)
        if escape is not None:
            body = _ESCAPES[escape]
            out.append(body if in_class else f"[{body}]")
            at += len(escape)
            continue
        if text[at] == "\\":
            out.append(text[at : at + 2])
            at += 2
            continue
        in_class = text[at] == "[" or (in_class and text[at] != "]")
        out.append(text[at])
        at += 1
    return "".join(out)


def _scoped(text: str) -> str:
    """Flags within the pattern, such as `a(?i)b`, around what follows them in their group."""
    if _FLAGS.search(text) is None:
        return text
    out: list[str] = []
    open_flags: list[list[str]] = [[]]  # of each group around the place
    at, in_class = 0, False
    while at < len(text):
        flags = None if in_class else _FLAGS.match(text, at)
        if flags is not None:
            out.append(_opening(flags[1]))
            open_flags[-1].append(out[-1])
            at = flags.end()
            continue
        piece = text[at : at + 2] if text[at] == "\\" else text[at]
        if piece in ("[", "]"):
            in_class = piece == "[" or (in_class and text[at - 1] == "[")
        elif not in_class and piece == "(":
            open_flags.append([])
        elif not in_class and piece == ")" and len(open_flags) > 1:
            out.append(")" * len(open_flags.pop()))
        elif not in_class and piece == "|":
            # Flags reach over the bar, a group would not.
            piece = ")" * len(open_flags[-1]) + "|" + "".join(open_flags[-1])
        out.append(piece)
        at += 2 if text[at] == "\\" else 1
    return "".join(out) + ")" * len(open_flags[0])


def _opening(flags: str) -> str:
    """A group with these flags; those that `re` lacks do not matter here."""
    set_, minus, unset = flags.partition("-")
    kept = "".join(f for f in set_ if f in "imsx")
    return f"(?{kept}{minus}{unset}:"


def java_pattern(name: str, value: Any) -> None:
    """A ConfigDef validator: the value must be a regular expression."""
    try:
        compile_java(str(value or ""))
    except re.error as error:
        raise invalid(name, value, f"Invalid regex: {error}") from None


def replacement(text: str, pattern: re.Pattern[str]) -> Callable[[re.Match[str]], str]:
    """What Java's `Matcher.replaceFirst(text)` puts in the place of a match.

    Raises:
        DataError: a group is named that the pattern does not have, or the text ends in an escape.
    """
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            if at + 1 == len(text):
                raise DataError("character to be escaped is missing")
            parts.append(text[at + 1])
            at += 2
        elif character == "$":
            group, at = _group(text, at + 1, pattern)
            parts.append(group)
        else:
            parts.append(character)
            at += 1
    return lambda match: "".join(p if isinstance(p, str) else match[p] or "" for p in parts)


def _group(text: str, at: int, pattern: re.Pattern[str]) -> tuple[int, int]:
    """The group that starts behind a dollar sign, and where the text goes on."""
    if at == len(text):
        raise DataError("Illegal group reference: group index is missing")
    if text[at] == "{":
        named = _NAME.match(text, at)
        if named is None:
            raise DataError("named capturing group is missing trailing '}'")
        if named[1] not in pattern.groupindex:
            raise DataError(f"No group with name {{{named[1]}}}")
        return pattern.groupindex[named[1]], named.end()
    if not "0" <= text[at] <= "9":
        raise DataError("Illegal group reference")
    group, at = int(text[at]), at + 1
    if group > pattern.groups:
        raise DataError(f"No group {group}")
    while at < len(text) and "0" <= text[at] <= "9" and group * 10 + int(text[at]) <= pattern.groups:
        group, at = group * 10 + int(text[at]), at + 1
    return group, at
