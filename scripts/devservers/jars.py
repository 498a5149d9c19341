"""Java programs from Maven Central: a Java runtime, and a folder of jars that Maven copied for one pom."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.devservers import apt
from scripts.devservers.instance import ServerUnavailable, run, say
from scripts.devservers.place import locked, program_cache

_OLDEST_JAVA = 17
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>replicator.dev</groupId>
  <artifactId>{name}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""
_DEPENDENCY = (
    "    <dependency><groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version></dependency>"
)


def java() -> str:
    """The `java` program, installed from the distribution when there is none that is new enough."""
    found = _java()
    if found is None:
        apt.install("default-jre-headless")
        found = _java()
    if found is None:
        raise ServerUnavailable(f"no Java {_OLDEST_JAVA} or newer here, and the distribution brought none")
    return found


def java_version() -> int:
    """The first number of the version of `java()`."""
    return _version(java())


def jars(name: str, artifacts: Sequence[str]) -> Path:
    """A folder with the jars of `artifacts` (`group:artifact:version`) and everything they need.

    Fetched once per list of artifacts; the folder appears only when complete.
    """
    digest = hashlib.sha256("\n".join(artifacts).encode()).hexdigest()[:8]
    target = program_cache() / "jars" / f"{name}-{digest}"
    with locked(f"get-{name}.lock", program_cache()):
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            say(f"getting the jars of {name} from Maven Central")
            with tempfile.TemporaryDirectory(prefix="get-", dir=target.parent) as scratch:
                _copy_dependencies(name, artifacts, Path(scratch)).rename(target)
    return target


def archives(name: str, artifacts: Sequence[str]) -> Path:
    """A folder with the unpacked archives (`group:artifact:version:tar.gz:classifier`), got and kept like `jars`."""
    digest = hashlib.sha256("\n".join(artifacts).encode()).hexdigest()[:8]
    target = program_cache() / "jars" / f"{name}-{digest}"
    with locked(f"get-{name}.lock", program_cache()):
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="get-", dir=target.parent) as scratch:
                unpacked = Path(scratch) / "unpacked"
                unpacked.mkdir()
                for artifact in artifacts:
                    say(f"getting {artifact} from Maven Central")
                    copied = Path(scratch) / artifact.split(":")[1]
                    options = [f"-Dartifact={artifact}", f"-DoutputDirectory={copied}"]
                    run([_maven(), "-q", "-B", "dependency:copy", *options], cwd=scratch)
                    for archive in copied.iterdir():
                        run(["tar", "xzf", str(archive), "-C", str(unpacked)])
                unpacked.rename(target)
    return target


def classpath(folder: Path) -> str:
    """The class path of a folder of jars."""
    return f"{folder}/*"


def _copy_dependencies(name: str, artifacts: Sequence[str], work: Path) -> Path:
    dependencies = "\n".join(_DEPENDENCY.format(*artifact.split(":")) for artifact in artifacts)
    (work / "pom.xml").write_text(_POM.format(name=name, dependencies=dependencies))
    run([_maven(), "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"], cwd=work)
    return work / "libs"


def _maven() -> str:
    if shutil.which("mvn") is None:
        apt.install("maven")
    found = shutil.which("mvn")
    if found is None:
        raise ServerUnavailable("no Maven here to get jars with, and the distribution brought none")
    return found


def _java() -> str | None:
    """The newest Java found, if it is new enough."""
    candidates = [shutil.which("java"), *map(str, sorted(Path("/usr/lib/jvm").glob("*/bin/java")))]
    numbered = [(_version(program), program) for program in candidates if program]
    version, program = max(numbered, default=(0, ""))
    return program if version >= _OLDEST_JAVA else None


def _version(program: str) -> int:
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0
