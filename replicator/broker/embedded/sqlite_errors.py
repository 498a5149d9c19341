"""SQLite's errors as ours: the one place that knows sqlite3's exceptions and result codes."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from replicator.api.errors import BrokerError, ConnectError, RetriableError
from replicator.broker.embedded.budget import no_space

_FULL: Final = 13
_IOERR: Final = 10
_BUSY: Final = {5, 6}
_DAMAGED: Final = {11, 26}
_LITTLE_SPACE: Final = 1 << 20


@contextmanager
def translated(path: Path | None) -> Iterator[None]:
    """Run a block; sqlite3 and disk errors inside leave as `BrokerError` or `RetriableError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise translate(error, path) from error


def translate(error: sqlite3.Error | OSError, path: Path | None) -> ConnectError:
    """Our error for one of SQLite's or the disk's."""
    where = "the in-memory topic log" if path is None else f"the topic log {path}"
    if _is_full(error, path):
        return no_space(path)
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _BUSY:
        return RetriableError(f"Another process holds {where}: {error}.")
    if code in _DAMAGED:
        return BrokerError(
            f"The file of {where} is damaged or not a topic log: {error}.",
            hint="Restore it from a backup, or move it away and start with a new copy.",
        )
    return BrokerError(f"Cannot use {where}: {error}.")


def _is_full(error: sqlite3.Error | OSError, path: Path | None) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == _FULL:
        return True
    return code == _IOERR and path is not None and _free_space(path.parent) < _LITTLE_SPACE


def _free_space(folder: Path) -> int:
    try:
        stat = os.statvfs(folder)
    except OSError:
        return 0
    return stat.f_bavail * stat.f_frsize
