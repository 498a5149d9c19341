"""Full disks: of the embedded log and of the target. Nothing is lost, and work goes on once there is space."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest

from scripts.service import until
from tests.support.fix_servers import Database, Server
from tests.support.sync_process import MakeSync, running, verified

_WIDE = (
    "INSERT INTO t SELECT g, (SELECT string_agg(md5(random()::text || x || g), '') FROM generate_series(1, 30) x)"
    " FROM generate_series({}, {}) g"
)


@pytest.mark.parametrize("larger", [False, True])
def test_disk_of_the_log_is_full(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync, tmp_path: Path, larger: bool
) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY, a text)", _WIDE.format(1, 10))
    with _disk(tmp_path / "disk", 12) as disk:
        sync = make_sync(pg_database, mysql_database)
        sync.data_dir = disk / "data"
        running(sync, mysql_database, "t")
        blocker = mysql_database.connect()
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLES t WRITE")  # the target stands still, the log grows
            for first in range(1000, 17000, 4000):
                pg_database.execute(_WIDE.format(first, first + 3999))
            until(lambda: "No space left" in sync.output, 60)
            assert sync.running(), sync.output
            cursor.execute("UNLOCK TABLES")
        blocker.close()
        if larger:
            subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
        until(lambda: mysql_database.query("SELECT count(*) FROM t") == [(16010,)], 90)
        verified(sync)
        assert sync.stop() == 0


def test_disk_of_the_target_is_full(
    pg_database: Database, private_mysql: Callable[[], Server], make_sync: MakeSync, tmp_path: Path
) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY, a text)", _WIDE.format(1, 10))
    server = private_mysql()
    with _disk(tmp_path / "disk", 1500) as disk:
        _move_data(server, disk)
        try:
            with server.database() as target:
                sync = running(make_sync(pg_database, target), target, "t")
                ballast = disk / "ballast"
                until(lambda: _filled(disk, ballast, 6_000_000), 60)
                pg_database.execute(_WIDE.format(1000, 20999))
                until(lambda: shutil.disk_usage(disk).free < 1_000_000, 60)
                until(lambda: "again" in sync.output, 60)
                assert sync.running(), sync.output
                ballast.unlink()
                until(lambda: _has_rows(server, target, 20010), 90)
                verified(sync)
                assert sync.stop() == 0
        finally:
            server.stop()
            server.instance.data.unlink()  # the link; the data goes with the disk


@contextmanager
def _disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A small disk of its own."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _filled(disk: Path, ballast: Path, left: int) -> bool:
    """Fill the disk but for some bytes; False when others took them meanwhile."""
    with ballast.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - left)
        except OSError:
            file.truncate(0)
            return False
    return True


def _has_rows(server: Server, target: Database, count: int) -> bool:
    """Whether all arrived; MySQL ends itself, soon, when its binary log could not be written, and is started again."""
    try:
        return target.query("SELECT count(*) FROM t") == [(count,)]
    except pymysql.MySQLError:
        if not server.instance.is_running():
            server.start()
        return False


def _move_data(server: Server, disk: Path) -> None:
    server.stop()
    folder = server.instance.data
    # MySQL's redo files are mostly holes.
    subprocess.run(["cp", "-a", "--sparse=always", str(folder), str(disk / "mysql")], check=True)
    shutil.rmtree(folder)
    folder.symlink_to(disk / "mysql")
    server.start()
