"""The servers that tests get from their fixtures, and fresh databases on them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pymysql
import pymysql.connections
from psycopg import sql

from scripts.devservers import Instance, Kafka

_numbers = itertools.count(1)


@dataclass
class Running:
    """A running server; only a private one may be stopped, killed or paused: the shared ones serve other tests."""

    instance: Instance

    @property
    def host(self) -> str:
        return self.instance.host

    @property
    def port(self) -> int:
        return self.instance.port

    def start(self) -> None:
        self.instance.start()

    def stop(self) -> None:
        """Clean shutdown."""
        self.instance.stop()

    def kill(self) -> None:
        """kill -9."""
        self.instance.kill()

    def restart(self) -> None:
        """Stop and start; port and data stay."""
        self.instance.restart()

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self.instance.pause()

    def resume(self) -> None:
        self.instance.resume()


@dataclass
class Server(Running):
    """A running database server and its administrator's account."""

    @property
    def kind(self) -> str:
        """`postgres`, `mysql` or `mariadb`."""
        return self.instance.kind

    @property
    def user(self) -> str:
        return self.instance.user

    @property
    def password(self) -> str:
        return self.instance.password

    def url(self, database: str) -> str:
        """`postgresql://…`, `mysql://…` or `mariadb://…`."""
        return self.instance.url(database)

    def connect(self, database: str | None = None, **options: Any) -> Any:
        """A new connection in autocommit: psycopg's or PyMySQL's."""
        if self.kind == "postgres":
            return psycopg.connect(self.url(database or "postgres"), autocommit=True, **options)
        account = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        settings = {"charset": "utf8mb4", "autocommit": True, "database": database, **account, **options}
        return pymysql.connect(**settings)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A fresh database, dropped at the end; for private servers and for tests that need several."""
        with fresh_database(self) as database:
            yield database


@dataclass
class Database:
    """A database of one test; dropped afterwards with everything that hangs on it."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def connect(self, **options: Any) -> Any:
        """A new autocommit connection (psycopg or PyMySQL); the test closes it, or the drop ends it."""
        return self.server.connect(self.name, **options)

    def execute(self, *statements: str) -> None:
        """Run statements, each in its own transaction."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()

    def query(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Run one SELECT and return all rows."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return [tuple(row) for row in cursor.fetchall()]
        finally:
            connection.close()


@dataclass
class KafkaServer(Running):
    """A running Kafka node; clients take `bootstrap`, its PLAINTEXT listener."""

    instance: Kafka

    @property
    def bootstrap(self) -> str:
        """`host:port` for `bootstrap.servers`."""
        return self.instance.bootstrap


def own_name(separator: str) -> str:
    """A name no other test has: the process id keeps test runs apart that share the servers, the counter the tests."""
    return f"t{os.getpid()}{separator}{next(_numbers)}"


@contextmanager
def fresh_database(server: Server) -> Iterator[Database]:
    """A database of a new name, dropped at the end."""
    database = Database(server, own_name("_"))
    with server.connect() as admin, admin.cursor() as cursor:
        _drop(server, database.name, cursor)
        _create(server, database.name, cursor)
    try:
        yield database
    finally:
        with server.connect() as admin, admin.cursor() as cursor:
            _drop(server, database.name, cursor)


def _create(server: Server, name: str, cursor: Any) -> None:
    if server.kind == "postgres":
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    else:
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")


def _drop(server: Server, name: str, cursor: Any) -> None:
    if server.kind == "postgres":
        _drop_postgres(name, cursor)
    else:
        _drop_mysql(name, cursor)


def _drop_postgres(name: str, cursor: Any) -> None:
    # A database with a replication slot cannot be dropped, and a slot in use cannot be dropped either.
    sessions = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
    cursor.execute(sessions, [name])
    slots = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s"
    cursor.execute(slots, [name])
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_mysql(name: str, cursor: Any) -> None:
    # An open transaction would hold the tables' metadata locks and the DROP would wait for it.
    cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", [name])
    for (thread,) in cursor.fetchall():
        with _thread_may_be_gone():
            cursor.execute(f"KILL {int(thread)}")
    cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")


@contextmanager
def _thread_may_be_gone() -> Iterator[None]:
    no_such_thread = 1094
    try:
        yield
    except pymysql.err.OperationalError as error:
        if error.args[0] != no_such_thread:
            raise
