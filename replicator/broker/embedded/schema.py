"""Opens the log's SQLite file: connections, schema revisions, identity and epoch. Runs on the opening thread.

The revisions of `migrations/embedded` carry plain SQL, so a new file is made without importing alembic
(docs/decisions/20261121-embedded-log-format.md).
"""

from __future__ import annotations

import importlib.util
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import replicator
from replicator.api.errors import BrokerError

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_BUSY_SECONDS: Final = 10.0
# Checkpoints are made by the maintenance thread; this is the writer's own limit should that thread lag (256 MB).
_WRITER_CHECKPOINT_PAGES: Final = 65536
_KEPT_WAL_BYTES: Final = 64 << 20


class _Revision(NamedTuple):
    name: str
    parent: str | None
    statements: tuple[str, ...]


def connect(path: Path | None, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection without Python's implicit transactions, usable from any one thread at a time."""
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    target = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(
        target, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
    )
    connection.execute("PRAGMA cache_size=-8000")
    # Some distributions' SQLite overwrites what is removed with zeros: as much to write as was appended.
    connection.execute("PRAGMA secure_delete=OFF")
    return connection


def open_writer(path: Path | None) -> sqlite3.Connection:
    """The writing connection, with the schema brought up to date."""
    connection = connect(path)
    revisions = list(_revisions())
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(revisions):
        raise BrokerError(
            f"The topic log {path} was written by a newer release (schema {version}, known {len(revisions)}).",
            hint="Run that release or a later one.",
        )
    if version == 0:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint={_WRITER_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit={_KEPT_WAL_BYTES}")
    for number, revision in enumerate(revisions[version:], version + 1):
        _apply(connection, number, revision)
    return connection


def identity_and_epoch(connection: sqlite3.Connection) -> tuple[str, int]:
    """The log's UUID and its epoch, which grows when the machine was started anew since the last opening (C9)."""
    boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    current = dict(meta)
    current.setdefault("identity", str(uuid.uuid4()))
    if meta.get("boot_id") != boot:
        current["boot_id"] = boot
        current["epoch"] = str(int(meta.get("epoch", "0")) + 1)
    if current != meta:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", current.items())
        connection.execute("COMMIT")
    return current["identity"], int(current["epoch"])


def read_identity(connection: sqlite3.Connection) -> tuple[str, int]:
    """Identity and epoch as stored, for readers of a log that another process owns."""
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    return meta["identity"], int(meta["epoch"])


def _apply(connection: sqlite3.Connection, number: int, revision: _Revision) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in revision.statements:
        connection.execute(statement)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    )
    connection.execute("DELETE FROM alembic_version")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (revision.name,))
    connection.execute(f"PRAGMA user_version={number}")
    connection.execute("COMMIT")


def _revisions() -> Iterator[_Revision]:
    """Revisions from the first to the newest."""
    by_parent = {r.parent: r for r in map(_load, sorted(_folder().glob("*.py")))}
    current = by_parent.get(None)
    while current is not None:
        yield current
        current = by_parent.get(current.name)


def _load(file: Path) -> _Revision:
    spec = importlib.util.spec_from_file_location(f"replicator_embedded_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise BrokerError(f"Cannot load the schema revision {file}.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return _Revision(module.revision, module.down_revision, tuple(module.UPGRADE))


def _folder() -> Path:
    package = Path(replicator.__file__).parent
    installed = package / "_migrations" / "embedded" / "versions"
    return installed if installed.is_dir() else package.parent / "migrations" / "embedded" / "versions"
