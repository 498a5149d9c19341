"""Programs built from Go modules: where there is Go, and at the lowest priority, since others work meanwhile."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from scripts.devservers.instance import ServerUnavailable, run, say
from scripts.devservers.place import locked, program_cache


def program(package: str, version: str) -> Path:
    """The program of a Go package; built once per version.

    Args:
        package: path of the main package, its last part is the program's name.
        version: of its module, for example `v1.8.0`.
    """
    name = package.rsplit("/", 1)[-1]
    target = program_cache() / "go" / f"{name}-{version}" / name
    with locked(f"get-{name}.lock", program_cache()):
        if not target.is_file():
            go = shutil.which("go")
            if go is None:
                raise ServerUnavailable(f"no Go here to build {name} with")
            target.parent.parent.mkdir(parents=True, exist_ok=True)
            say(f"building {name} {version}, which takes a minute or two")
            with tempfile.TemporaryDirectory(prefix="get-", dir=target.parent.parent) as scratch:
                _build(go, f"{package}@{version}", Path(scratch)).rename(target.parent)
    return target


def _build(go: str, package: str, work: Path) -> Path:
    made = work / "bin"
    made.mkdir()
    # `env` as the program: what the caller's environment says of Go, its proxy above all, stays.
    run(["nice", "-n", "19", "env", f"GOBIN={made}", go, "install", package], cwd=work)
    return made
