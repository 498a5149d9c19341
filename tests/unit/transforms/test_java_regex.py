"""Patterns written for Java, and what replaces a match."""

from __future__ import annotations

import re

import pytest

from replicator.api.config import ConfigError
from replicator.api.errors import DataError
from replicator.api.java_regex import compile_java, java_pattern, replacement

MATCHES = [
    ("(?<a>x)y\\k<a>", "xyx", True),
    ("\\Qa.b\\E+", "a.bbb", True),
    ("\\Qa.b", "axb", False),
    ("db\\.(?i)orders", "db.ORDERS", True),
    ("db\\.(?i)orders", "DB.orders", False),
    ("(?i)db\\.orders", "DB.orders", True),
    ("(a(?i)b)c", "aBc", True),
    ("(a(?i)b)c", "aBC", False),
    ("a(?i)b|c", "C", True),
    ("a(?i)b(?-i)c", "aBc", True),
    ("a(?i)b(?-i)c", "aBC", False),
    ("[(?i)]", "i", True),
    ("\\(?i\\)", "(i)", True),
    ("[\\p{Alpha}_]+", "ab_", True),
    ("\\p{Lower}\\p{Digit}", "a7", True),
    ("\\p{L}+", "größe", True),
    ("\\w", "ö", False),
    ("a++b", "aab", True),
    ("(?!x)[a-z]+\\z", "abc", True),
    ("(?<=x)y|xy", "xy", True),
    ("\\h", "\t", True),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), MATCHES)
def test_patterns(pattern: str, text: str, expected: bool) -> None:
    assert (compile_java(pattern).fullmatch(text) is not None) is expected


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "*"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(re.error):
        compile_java(pattern)
    with pytest.raises(ConfigError, match="Invalid regex"):
        java_pattern("topic.regex", pattern)


REPLACEMENTS = [
    ("(a)(b)?", "$1-$2", "a", "a-"),
    ("(?<x>a)", "<${x}>", "a", "<a>"),
    ("(a)", "$12", "a", "a2"),
    ("a", "\\$\\\\", "a", "$\\"),
    ("a", "$0$0", "a", "aa"),
]


@pytest.mark.parametrize(("pattern", "text", "given", "expected"), REPLACEMENTS)
def test_replacements(pattern: str, text: str, given: str, expected: str) -> None:
    compiled = compile_java(pattern)
    assert compiled.sub(replacement(text, compiled), given) == expected


@pytest.mark.parametrize("text", ["$", "${x}", "${", "$x", "$1", "x\\"])
def test_what_is_no_replacement(text: str) -> None:
    with pytest.raises(DataError):
        replacement(text, compile_java("a"))
