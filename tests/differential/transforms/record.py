"""Records golden answers: runs the cases through the Java classes and writes what they said.

    python -m tests.differential.transforms.record connect=LIBS debezium_rows=LIBS ...

LIBS is a folder with the jars that the family needs: connect-transforms and connect-json (4.1.1) for `connect` and
`random`, debezium-connect-plugins (3.7.0.Final) besides for Debezium's, debezium-scripting with Groovy (3.3.1.Final)
for `scripting`, debezium-connector-postgres (3.7.0.Final) for `message`, debezium-connector-jdbc (3.6.0.Final) for
`naming`. Maven's dependency:copy-dependencies gets them with what they need. JAVA names the `java` to run them with
(Debezium since 3.4 wants version 21); `javac` may be older.
The tests read the written files and need no Java.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.differential.transforms import (
    cases_connect,
    cases_geometry,
    cases_message,
    cases_naming,
    cases_random,
    cases_routing,
    cases_scripting,
    cases_small,
    cases_unwrap,
)

HERE = Path(__file__).parent
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "transforms"
FAMILIES = {
    "connect": cases_connect.cases,
    "debezium_rows": cases_unwrap.cases,
    "debezium_routing": cases_routing.cases,
    "geometry": cases_geometry.cases,
    "message": cases_message.cases,
    "naming": cases_naming.cases,
    "random": cases_random.cases,
    "scripting": cases_scripting.cases,
    "small": cases_small.cases,
}


def main() -> int:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for argument in sys.argv[1:]:
        family, _, libs = argument.partition("=")
        listed = list(FAMILIES[family]())
        classes = sorted({c["class"] for c in listed})
        answers = run(Path(libs), {"classes": classes, "cases": listed})
        golden = {"config_defs": answers["config_defs"], "cases": merged(listed, answers["results"])}
        text = json.dumps(golden, ensure_ascii=False, sort_keys=True).encode()
        path = GOLDEN / f"{family}.json.gz"
        path.write_bytes(gzip.compress(text, mtime=0))
        print(f"{path}: {len(listed)} cases")
    return 0


def merged(cases: list[Any], results: list[Any]) -> list[Any]:
    return [{**case, "java": result} for case, result in zip(cases, results, strict=True)]


def run(libs: Path, given: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        compile_ = [
            "javac",
            "-nowarn",
            "-proc:none",
            "-cp",
            f"{libs}/*",
            "-d",
            folder,
            str(HERE / "Transforms.java"),
        ]
        subprocess.run(compile_, check=True, stderr=subprocess.DEVNULL)
        command = [
            os.environ.get("JAVA", "java"),
            "-Duser.timezone=UTC",
            "-cp",
            f"{folder}:{libs}/*",
            "Transforms",
        ]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
