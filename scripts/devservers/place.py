"""Where things of this checkout lie: `.dev`, its lock, and folders a less privileged user can reach."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Resolved: a checkout that borrows the folder of another by a link must know the servers of that one.
DEV = (ROOT / ".dev").resolve()


def dev_folder() -> Path:
    """`.dev`, made when missing; other users may pass through it, as the Postgres server must."""
    return open_folder(DEV)


def open_folder(path: Path) -> Path:
    """A folder that others may traverse, whatever the umask."""
    path.mkdir(parents=True, exist_ok=True)
    if path.stat().st_uid == os.geteuid():
        path.chmod(0o755)
    return path


def program_cache() -> Path:
    """Where unpacked programs lie; `REPLICATOR_SERVERS_CACHE` shares them between checkouts."""
    chosen = os.environ.get("REPLICATOR_SERVERS_CACHE")
    return open_folder(Path(chosen).expanduser().resolve()) if chosen else dev_folder()


@contextmanager
def locked(name: str = "servers.lock", folder: Path | None = None) -> Iterator[None]:
    """Hold a lock file: two test processes may ask for servers at the same moment."""
    with ((folder or dev_folder()) / name).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def reachable_by(user: str, folder: Path) -> bool:
    """Whether `user` may traverse to `folder`, tried out rather than computed."""
    probe = subprocess.run(
        ["test", "-x", str(folder)], user=user, group=user, extra_groups=[], check=False, cwd="/"
    )
    return probe.returncode == 0


def outside_folder(tag: str) -> Path:
    """A folder outside the checkout, named after it, for a user that cannot traverse to the checkout."""
    path = _outside(tag)
    path.mkdir(mode=0o755, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to somebody else; remove it")
    path.chmod(0o755)
    return path


def data_folder(kind: str, name: str | None = None) -> Path:
    """Where a server's data folder goes: below `.dev` unless the server's user cannot get there."""
    inside = open_folder(dev_folder() / "data")
    if kind == "postgres" and os.geteuid() == 0 and not reachable_by("postgres", inside):
        return outside_folder(name or kind) / "data"
    return inside / (name or kind)


def _outside(tag: str) -> Path:
    digest = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"replicator-dev-{digest}-{tag}"


def is_ours(data: Path) -> bool:
    """Whether a data folder is one that this checkout would make."""
    return data.is_relative_to(DEV) or data.parent.name.startswith(_outside("").name)


def is_outside(path: Path) -> bool:
    return not path.is_relative_to(DEV)


def remove_data(path: Path) -> None:
    """Remove a data folder, and with it the folder made outside the checkout for it."""
    shutil.rmtree(path, ignore_errors=True)
    if is_outside(path) and path.parent.name.startswith("replicator-dev-"):
        shutil.rmtree(path.parent, ignore_errors=True)
