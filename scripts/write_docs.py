"""Writes the generated pages below docs/: metrics and the reference of options.

`python scripts/write_docs.py` after a change of names or options; tests compare the pages with what it would write.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def pages() -> dict[Path, str]:
    """Every generated page by its path."""
    from replicator.metrics.documentation import markdown

    return {ROOT / "docs" / "metrics.md": markdown()}


def main() -> None:
    """Write those that changed."""
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
