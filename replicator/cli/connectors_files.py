"""Connector files for `apply` and `validate`: single files, folders, and standard input."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from replicator.api.errors import ConfigError
from replicator.config.files import ConnectorFile, read_connector

_SUFFIXES: Final = (".properties", ".json", ".yaml", ".yml", ".toml")


def read_files(paths: Sequence[Path]) -> list[ConnectorFile]:
    """The connectors of files; of a folder, all files with a known ending, by name.

    Raises:
        ConfigError: a file cannot be read or describes no connector, or two describe the same.
    """
    found: dict[str, Path] = {}
    connectors: list[ConnectorFile] = []
    for path in paths:
        for each in _expanded(path):
            connector = _from_stdin() if str(each) == "-" else read_connector(each)
            if connector.name in found:
                raise ConfigError(f"{each} and {found[connector.name]} both describe {connector.name}.")
            found[connector.name] = each
            connectors.append(connector)
    return connectors


def _expanded(path: Path) -> list[Path]:
    if str(path) == "-" or not path.is_dir():
        return [path]
    files = sorted(f for f in path.iterdir() if f.suffix.lower() in _SUFFIXES and f.is_file())
    if not files:
        raise ConfigError(f"The folder {path} has no file that ends in {', '.join(_SUFFIXES)}.")
    return files


def _from_stdin() -> ConnectorFile:
    """JSON is recognised by its brace, YAML by a colon and a space on its first line; else it is properties."""
    text = sys.stdin.read()
    first = next((line for line in text.splitlines() if line.strip() and line.lstrip()[0] not in "#!"), "")
    if text.lstrip().startswith("{"):
        suffix = ".json"
    else:
        suffix = ".yaml" if ": " in first and "=" not in first.partition(":")[0] else ".properties"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"stdin{suffix}"
        file.write_text(text, encoding="utf-8")
        return read_connector(file, named_by_file=False)
