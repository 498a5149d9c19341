#!/usr/bin/env python3
"""Watch a live Postgres being replicated to MySQL, then prove that both hold the same rows.

Needs the project's environment (`make setup`); `make demo` calls it. Exit code 0 means: equal.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.devservers import ServerUnavailable  # noqa: E402
from scripts.showcase.run import Demo  # noqa: E402
from scripts.showcase.screen import Screen  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=int, help="end by itself after so many seconds of load; else Ctrl-C"
    )
    options = parser.parse_args(arguments)
    os.chdir(ROOT)
    Path(".dev").mkdir(exist_ok=True)
    with Path(".dev/demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("demo: another demo is running in this checkout", file=sys.stderr)
            return 1
        return _run(options.seconds)


def _run(seconds: int | None) -> int:
    try:
        return Demo(seconds, Screen()).run()
    except ServerUnavailable as reason:
        print(f"demo: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
