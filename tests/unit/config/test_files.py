"""Java's properties format and the other kinds of configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from replicator.api.errors import ConfigError
from replicator.config.files import parse_properties, read_connector, read_options


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", {"a": "b"}),
        ("a = b ", {"a": "b "}),
        ("a:b", {"a": "b"}),
        ("a b c", {"a": "b c"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("a == b", {"a": "= b"}),
        ("  # c\n! d\na=1", {"a": "1"}),
        ("a=1\\\n   2\\\n\t3", {"a": "123"}),
        ("a=1\\\\\nb=2", {"a": "1\\", "b": "2"}),
        ("a=1\\\n# no comment", {"a": "1# no comment"}),
        (r"a\=b\:c\ d=1", {"a=b:c d": "1"}),
        (r"a=\t\n\r\f\q", {"a": "\t\n\r\fq"}),
        (r"a=\u00e4\ud83d\ude00", {"a": "ä😀"}),
        ("a=1\r\nb=2\rc=3", {"a": "1", "b": "2", "c": "3"}),
        ("a=1\na=2", {"a": "2"}),
        ("a=c:\\\\x", {"a": "c:\\x"}),
        ("a=1\\", {"a": "1"}),
    ],
)
def test_properties(text: str, expected: dict[str, str]) -> None:
    assert parse_properties(text) == expected


def test_malformed_escape() -> None:
    with pytest.raises(ConfigError, match="Malformed"):
        parse_properties(r"a=\u00g1")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.properties", "name=n\ntasks.max=2\ndeletes=true\ntopics=a,b\n"),
        ("c.json", '{"name":"n","tasks.max":2,"deletes":true,"topics":"a,b"}'),
        ("c.json", '{"name":"n","config":{"tasks.max":"2","deletes":"true","topics":"a,b"}}'),
        ("c.properties", '{"name":"n","config":{"tasks.max":"2","deletes":"true","topics":"a,b"}}'),
        ("c.yaml", "name: n\ntasks.max: 2\ndeletes: true\ntopics: [a, b]\n"),
        ("c.yml", "name: n\ntasks: {max: 2}\ndeletes: true\ntopics: [a, b]\n"),
        ("c.toml", 'name="n"\ndeletes=true\ntopics=["a","b"]\n[tasks]\nmax=2\n'),
    ],
)
def test_connector_files(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    found = read_connector(path)
    assert found.name == "n"
    assert found.config == {"name": "n", "tasks.max": "2", "deletes": "true", "topics": "a,b"}
    assert found.initial_state is None


def test_create_request(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"name":"n","config":{"a":"1"},"initial_state":"paused"}')
    assert read_connector(path).initial_state == "PAUSED"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.json", "[1]", "expected a map"),
        ("c.json", "{", "c.json"),
        ("c.json", "{}", "no name"),
        ("c.json", '{"name":"n","config":{},"conifg":1}', "unknown member conifg"),
        ("c.yaml", "a: [", "c.yaml"),
        ("c.toml", "a=", "c.toml"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_connector(tmp_path / name)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cannot read"):
        read_options(tmp_path / "none.properties")
