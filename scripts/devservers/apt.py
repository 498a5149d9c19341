"""Programs from the distribution: installed packages, or a package and its libraries in a private root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from scripts.devservers.instance import ServerUnavailable, run, say

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def install(*packages: str) -> None:
    """Install packages of the host's own distribution; removes nothing that is installed."""
    if shutil.which("apt-get") is None:
        raise ServerUnavailable(f"no apt-get here to install {' '.join(packages)}")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    say(f"installing {' '.join(packages)} with apt-get")
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}}
    subprocess.run([*as_root, "apt-get", "update", "-qq"], check=False, capture_output=True, **quiet)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "--no-remove"]
    run([*as_root, "env", "DEBIAN_FRONTEND=noninteractive", *command, *packages], **quiet)


def unpack_closure(package: str, suite: str | None, target: Path) -> None:
    """Unpack `package` and everything it needs below `target`; the host's system stays as it is.

    Args:
        package: The binary package.
        suite: The suite to take it from, on the machine's mirror; None for the machine's own sources.
        target: The folder to make; it appears only when complete.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="get-", dir=target.parent) as scratch:
        work = Path(scratch)
        work.chmod(0o755)
        options = _private_apt(work, suite)
        run(["apt-get", *options, "update", "-qq"])
        run(["apt-get", *options, "install", "-qq", "-y", "--download-only", package])
        root = work / "root"
        root.mkdir(mode=0o755)
        for archive in sorted((work / "cache" / "archives").glob("*.deb")):
            run(["dpkg-deb", "-x", str(archive), str(root)])
        shutil.rmtree(target, ignore_errors=True)
        root.rename(target)


def _private_apt(work: Path, suite: str | None) -> list[str]:
    """Options that give apt its own lists, cache and (empty) record of installed packages."""
    (work / "lists" / "partial").mkdir(parents=True)
    (work / "cache" / "archives" / "partial").mkdir(parents=True)
    (work / "status").touch()
    settings = {
        "Dir::State::Lists": work / "lists",
        "Dir::Cache": work / "cache",
        "Dir::State::status": work / "status",
        "APT::Install-Recommends": "0",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "1",
    }
    if suite is not None:
        signed = f"signed-by={_KEYRING}" if _KEYRING.exists() else "trusted=yes"
        sources = work / "sources.list"
        sources.write_text(f"deb [{signed}] {_mirror()} {suite} main\n")
        settings["Dir::Etc::SourceList"] = sources
        settings["Dir::Etc::SourceParts"] = "/nonexistent"
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _mirror() -> str:
    """The Debian mirror that this machine is configured to use."""
    for path in _source_files():
        for line in path.read_text(errors="replace").splitlines():
            found = re.match(r"(?:URIs:|deb\s+(?:\[[^]]*\]\s*)?)\s*(\S+/debian)/?(?:\s|$)", line)
            if found:
                return found[1]
    raise ServerUnavailable("no Debian mirror in /etc/apt to get MySQL from")


def _source_files() -> Iterable[Path]:
    etc = Path("/etc/apt")
    parts = etc / "sources.list.d"
    candidates = [etc / "sources.list", *sorted(parts.glob("debian*")), *sorted(parts.glob("*"))]
    return [path for path in candidates if path.is_file()]
