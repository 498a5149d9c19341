"""The developer servers and their fixtures: versions, settings, clean-up, throw-away instances."""

from __future__ import annotations

import psycopg
import pymysql
import pytest

from tests.support.fix_servers import Database, Server


def test_postgres_decodes_logically(pg_database: Database) -> None:
    assert int(pg_database.query("SHOW server_version_num")[0][0]) >= 130000
    assert pg_database.query("SHOW wal_level") == [("logical",)]
    assert pg_database.query("SHOW fsync") == [("on",)]


def test_mysql_is_mysql_nine_with_row_binlog(mysql_database: Database) -> None:
    version, gtid, row_format, local = mysql_database.query(
        "SELECT @@version, @@gtid_mode, @@binlog_format, @@local_infile"
    )[0]
    assert "mariadb" not in version.lower()
    assert int(version.split(".")[0]) >= 8
    assert (gtid, row_format, local) == ("ON", "ROW", 1)


def test_mariadb_is_mariadb_with_row_binlog(mariadb_database: Database) -> None:
    version, row_format, logs = mariadb_database.query("SELECT @@version, @@binlog_format, @@log_bin")[0]
    assert "MariaDB" in version
    assert (row_format, logs) == ("ROW", 1)


def test_database_is_dropped_with_its_slots_and_sessions(postgres: Server) -> None:
    with postgres.database() as database:
        session = database.connect()
        session.execute(
            "SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [f"slot_{database.name}"]
        )
    with postgres.connect() as admin:
        assert admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database.name]).fetchall() == []
        slots = admin.execute("SELECT 1 FROM pg_replication_slots WHERE database = %s", [database.name])
        assert slots.fetchall() == []
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")


def test_mysql_database_is_dropped_under_an_open_transaction(mysql: Server) -> None:
    with mysql.database() as database:
        database.execute("CREATE TABLE t (id int PRIMARY KEY)")
        session = database.connect(autocommit=False)
        session.cursor().execute("INSERT INTO t VALUES (1)")
    with mysql.connect() as admin, admin.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE %s", [database.name])
        assert cursor.fetchall() == ()
    with pytest.raises(pymysql.err.MySQLError):
        session.cursor().execute("SELECT 1")


@pytest.mark.parametrize("kind", ["postgres", "mysql", "mariadb"])
def test_private_server_keeps_committed_rows_through_a_kill(
    kind: str, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(f"private_{kind}")()
    shared: Server = request.getfixturevalue(kind)
    assert server.port != shared.port
    with server.database() as database:
        database.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
        server.kill()
        with pytest.raises((psycopg.OperationalError, pymysql.err.OperationalError)):
            database.connect()
        server.start()
        assert database.query("SELECT id FROM t") == [(1,)]
        server.restart()
        assert database.query("SELECT id FROM t") == [(1,)]
