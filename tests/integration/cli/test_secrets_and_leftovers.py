"""Passwords are printed and kept nowhere; `status` and `clean` at their edges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from scripts import service
from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, catch_up, has_table, publications, running, slots

PASSWORD = "Zq7!unmistakable/pw"


@pytest.fixture
def urls(pg_database: Database, mysql_database: Database) -> Iterator[tuple[str, str]]:
    """URLs of accounts whose password cannot be mistaken for anything else."""
    name, word = f"keeper_{pg_database.name}", quote(PASSWORD, safe="")
    pg_database.execute(
        f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{PASSWORD}'",
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "INSERT INTO t VALUES (1, 'x')",
    )
    mysql_database.execute(
        f"CREATE USER '{name}'@'%' IDENTIFIED BY '{PASSWORD}'", f"GRANT ALL ON *.* TO '{name}'@'%'"
    )
    target = mysql_database.server
    try:
        yield (
            pg_database.url.replace("postgres:postgres@", f"{name}:{word}@"),
            mysql_database.url.replace(f"{target.user}:{target.password}@", f"{name}:{word}@"),
        )
    finally:
        mysql_database.execute(f"DROP USER '{name}'@'%'")
        pg_database.execute(f"REASSIGN OWNED BY {name} TO postgres", f"DROP ROLE {name}")


def _holds_password(data: bytes) -> bool:
    return any(w.encode() in data for w in (PASSWORD, quote(PASSWORD, safe=""), "unmistakable"))


def test_no_password_is_printed_or_kept(
    urls: tuple[str, str],
    pg_database: Database,
    mysql_database: Database,
    make_sync: MakeSync,
    tmp_path: Path,
) -> None:
    sync = running(make_sync(*urls, "--verbose", port=None), mysql_database, "t")
    place = ["--data-dir", str(sync.data_dir)]
    printed = [service.run("status", *place).text, service.run("status", *place, "--json").text]
    printed += [json.dumps(sync.get(f"/connectors/{sync.name}-{role}")) for role in ("source", "sink")]
    printed += [json.dumps(sync.get("/replicator/overview")), sync.verify().text, sync.verify("--json").text]
    mysql_database.execute("DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY) ENGINE=MyISAM")
    pg_database.execute("INSERT INTO t VALUES (2, 'y')")
    assert sync.stop() == 0
    kept = {path: path.read_bytes() for path in sync.data_dir.rglob("*") if path.is_file()}
    assert any(path.name == "pipeline.json" for path in kept)
    printed += [sync.clean().text, sync.output]
    broken = [u.replace(":1", ":9", 1) for u in urls]
    printed += [service.run(c, *broken, *place, timeout=60).text for c in ("sync", "verify", "clean")]
    assert not [text for text in printed if _holds_password(text.encode())]
    assert not [str(path) for path, data in kept.items() if _holds_password(data)]


def test_clean_of_a_running_pipeline_is_refused_wherever_its_folder_is(
    urls: tuple[str, str],
    pg_database: Database,
    mysql_database: Database,
    make_sync: MakeSync,
    tmp_path: Path,
) -> None:
    sync = running(make_sync(*urls), mysql_database, "t")
    here = sync.clean()
    assert here.code == 1
    assert f"kill {sync.pid}" in here.err
    elsewhere = service.run(
        "clean", *urls, "--name", sync.name, "--data-dir", str(tmp_path / "other"), "--all"
    )
    assert elsewhere.code == 1
    assert "in use by the walsender" in elsewhere.err
    assert slots(pg_database, sync)
    assert sync.running()
    assert sync.stop() == 0


def test_clean_dry_run_and_what_it_keeps(
    urls: tuple[str, str], pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    sync = make_sync(*urls)
    catch_up(sync)
    place = ["--name", sync.name, "--data-dir", str(sync.data_dir)]
    said = service.run("clean", "--all", "--dry-run", *urls, *place)
    assert said.code == 0
    assert said.out.count("Would remove") == 5
    assert slots(pg_database, sync)
    assert len(publications(pg_database)) == 2
    assert (sync.data_dir / sync.name / "pipeline.json").exists()
    done = service.run("clean", urls[0], *place)
    assert done.out.count("Removed") == 3
    assert "Kept" in done.out
    assert not slots(pg_database, sync)
    assert publications(pg_database) == []
    assert mysql_database.query("SELECT count(*) > 0 FROM replicator_ledger") == [(1,)]
    done = service.run("clean", "--all", *urls, *place)
    assert done.out.count("Removed") == 2
    assert not (sync.data_dir / sync.name).exists()
    assert has_table(mysql_database, "t")
    assert "Nothing to remove" in service.run("clean", "--all", *urls, *place).out


def test_clean_removes_no_folder_that_is_not_a_pipelines(urls: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("x")
    outcome = service.run("clean", "--all", *urls, "--name", "precious", "--data-dir", str(tmp_path))
    assert outcome.code == 0
    assert (tmp_path / "precious" / "thesis.txt").exists()


def test_clean_asks_which_pipeline(urls: tuple[str, str], tmp_path: Path) -> None:
    outcome = service.run("clean", urls[0], "--data-dir", str(tmp_path))
    assert outcome.code == 1
    assert "--name" in outcome.err
    assert "Traceback" not in outcome.text


def test_status_of_what_does_not_exist(tmp_path: Path) -> None:
    outcome = service.run("status", "--name", "nobody", "--data-dir", str(tmp_path))
    assert outcome.code == 2
    assert "nobody" in outcome.out
    assert json.loads(service.run("status", "--json", "--data-dir", str(tmp_path)).out)["pipelines"] == []


def test_status_of_a_pipeline_whose_process_was_killed(
    urls: tuple[str, str], mysql_database: Database, make_sync: MakeSync
) -> None:
    sync = running(make_sync(*urls), mysql_database, "t")
    sync.kill()
    outcome = service.run("status", "--data-dir", str(sync.data_dir))
    assert outcome.code == 1
    assert "STOPPED" in outcome.out
    catch_up(sync)
