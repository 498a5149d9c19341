"""The data folder: one process at a time owns it, and it must be on a local disk. Runs on the opening thread."""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path
from typing import Final

from replicator.api.errors import BrokerError

_log = logging.getLogger(__name__)

_REMOTE: Final = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.s3fs",
}


class DirectoryLock:
    """Exclusive ownership of a data folder until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            BrokerError: another process has it.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._path = folder / "log.lock"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise BrokerError(
                f"The data folder {folder} is in use by the process with pid {owner}.",
                hint="Stop that process, or set data.dir to another folder.",
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode("ascii"))
        _warn_if_remote(folder)

    def release(self) -> None:
        """Let others have the folder."""
        os.close(self._file)


def _warn_if_remote(folder: Path) -> None:
    kind = _filesystem(folder)
    if kind in _REMOTE:
        _log.warning(
            "The data folder %s is on a %s filesystem: SQLite needs a local disk, the topic log may be damaged.",
            folder,
            kind,
        )


def _filesystem(folder: Path) -> str:
    """Type of the filesystem that holds `folder`, from the mount table; empty when unknown."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    real = str(folder.resolve())
    best, kind = "", ""
    for line in mounts:
        _, point, fs_type, *_ = line.split(" ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fs_type
    return kind
