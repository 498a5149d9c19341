"""Configuration files: `.properties` exactly as Java reads them, JSON, YAML and TOML."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from replicator.api.errors import ConfigError

log = logging.getLogger(__name__)

_SPACE: Final = " \t\f"
_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


@dataclass(frozen=True, slots=True)
class ConnectorFile:
    """A connector as a file describes it; `initial_state` is RUNNING, PAUSED, STOPPED or None."""

    name: str
    config: dict[str, str]
    initial_state: str | None = None


def read_options(path: Path) -> dict[str, Any]:
    """A file of options (a worker's); nested tables of YAML and TOML are joined with dots.

    Raises:
        ConfigError: the file cannot be read or has another form.
    """
    parsed = _parse(path)
    return flatten(parsed)


def read_connector(path: Path, *, named_by_file: bool = True) -> ConnectorFile:
    """A connector: a flat map, `{"name", "config"}`, or a create request with `initial_state`.

    A connector without a name gets that of its file, unless `named_by_file` is False.

    Raises:
        ConfigError: the file cannot be read, has another form, or names no connector.
    """
    parsed = _parse(path)
    state = None
    if isinstance(parsed.get("config"), Mapping):
        unknown = set(parsed) - {"name", "config", "initial_state"}
        if unknown:
            raise ConfigError(f"{path}: unknown member {', '.join(sorted(unknown))}")
        state = parsed.get("initial_state")
        config = _texts(flatten(parsed["config"]))
        name = str(parsed.get("name") or config.get("name") or "")
        config.setdefault("name", name)
    else:
        config = _texts(flatten(parsed))
        name = config.get("name", "")
    if not name.strip() and named_by_file and config:
        name = config["name"] = path.stem
        log.warning('%s has no "name": the connector is called %s', path, name)
    if not name.strip():
        raise ConfigError(f"{path}: the connector has no name", option="name")
    return ConnectorFile(name.strip(), config, str(state).upper() if state else None)


def flatten(parsed: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested maps as dotted names; other values stay."""
    flat: dict[str, Any] = {}
    for name, value in parsed.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def parse_properties(text: str) -> dict[str, str]:
    """Parse Java's `.properties` format: comments, continuations, three separators, escapes."""
    options: dict[str, str] = {}
    for line in _logical_lines(text):
        name, value = _split(line)
        options[_unescape(name)] = _unescape(value)
    return options


def _logical_lines(text: str) -> Iterator[str]:
    """Lines with continuations joined; comments and blank lines left out."""
    pending = ""
    continued = False
    for natural in re.split(r"\r\n|\r|\n", text):
        line = natural.lstrip(_SPACE)
        if not continued and (not line or line[0] in "#!"):
            continue
        # An odd number of backslashes at the end escapes the line's end.
        slashes = len(line) - len(line.rstrip("\\"))
        if slashes % 2:
            pending += line[:-1]
            continued = True
            continue
        yield pending + line
        pending, continued = "", False
    if pending:
        yield pending


def _split(line: str) -> tuple[str, str]:
    """Key and value at the first unescaped `=`, `:` or white space."""
    end = 0
    while end < len(line) and line[end] not in "=:" + _SPACE:
        end += 2 if line[end] == "\\" else 1
    rest = line[end:].lstrip(_SPACE)
    if rest[:1] in ("=", ":"):
        rest = rest[1:].lstrip(_SPACE)
    return line[:end], rest


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    out: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        position += 1
        if char != "\\" or position >= len(text):
            if char != "\\":
                out.append(char)
            continue
        escaped = text[position]
        position += 1
        if escaped == "u":
            digits = text[position : position + 4]
            if not re.fullmatch("[0-9a-fA-F]{4}", digits):
                raise ConfigError("Malformed \\uxxxx encoding.")
            out.append(chr(int(digits, 16)))
            position += 4
        else:
            out.append(_ESCAPES.get(escaped, escaped))
    # Surrogate pairs written as two escapes are one character.
    return "".join(out).encode("utf-16", "surrogatepass").decode("utf-16")


def _parse(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}") from None
    try:
        parsed = _decode(path, data)
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(parsed, dict):
        raise ConfigError(f"{path}: expected a map of options")
    return parsed


def _decode(path: Path, data: bytes) -> Any:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return json.loads(data)
    if suffix == ".toml":
        import tomllib

        return tomllib.loads(data.decode())
    if suffix in (".yaml", ".yml"):
        import yaml

        try:
            return yaml.safe_load(data)
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: {error}") from None
    text = data.decode("latin-1")
    # Connect's standalone mode takes JSON under any file name.
    if text.lstrip().startswith("{"):
        return json.loads(data)
    return parse_properties(text)


def _texts(options: Mapping[str, Any]) -> dict[str, str]:
    """Values as Connect keeps them: strings; absent ones are left out."""
    return {name: option_text(value) for name, value in options.items() if value is not None}


def option_text(value: Any) -> str:
    """A JSON, YAML or TOML value as an option's text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(option_text(v) for v in value)
    return str(value)
