"""Java's recorded answers: one compressed file for each workload."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "golden"


def save(workload: str, sides: dict[str, Any]) -> None:
    """Keep Java's answers, by case."""
    _FOLDER.mkdir(exist_ok=True)
    text = json.dumps(sides, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    _file(workload).write_bytes(lzma.compress(text.encode(), preset=9))


def load(workload: str) -> dict[str, Any]:
    """Java's answers, by case."""
    return dict(json.loads(lzma.decompress(_file(workload).read_bytes())))


def _file(workload: str) -> Path:
    return _FOLDER / f"{workload}.json.xz"
