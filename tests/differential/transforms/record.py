"""Records golden answers: runs the cases through the Java classes and writes what they said.

    python -m tests.differential.transforms.record LIBS

LIBS is a folder with the jars of connect-transforms, connect-json, debezium-core and debezium-scripting and what
they need (Maven's dependency:copy-dependencies gets them). The tests read the written files and need no Java.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.differential.transforms import cases_connect

HERE = Path(__file__).parent
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "transforms"
FAMILIES = {"connect": cases_connect.cases}


def main() -> int:
    libs = Path(sys.argv[1])
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for family, cases in FAMILIES.items():
        listed = list(cases())
        classes = sorted({c["class"] for c in listed})
        answers = run(libs, {"classes": classes, "cases": listed})
        golden = {"config_defs": answers["config_defs"], "cases": merged(listed, answers["results"])}
        text = json.dumps(golden, ensure_ascii=False, sort_keys=True).encode()
        path = GOLDEN / f"{family}.json.gz"
        path.write_bytes(gzip.compress(text, mtime=0))
        print(f"{path}: {len(listed)} cases")
    return 0


def merged(cases: list[Any], results: list[Any]) -> list[Any]:
    return [{**case, "java": result} for case, result in zip(cases, results, strict=True)]


def run(libs: Path, given: dict[str, Any]) -> Any:
    command = ["java", "-Duser.timezone=UTC", "-cp", f"{libs}/*", str(HERE / "Transforms.java")]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
