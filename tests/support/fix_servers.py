"""Fixtures for real servers: the checkout's shared ones, a fresh database on each, and throw-away instances.

The shared servers are started when they do not run, and left running: the next test run is quick. A test that
stops, kills or reconfigures a server takes `private_postgres`, `private_mysql`, `private_mariadb` or `private_kafka`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pymysql
import pymysql.connections
import pytest
from confluent_kafka.admin import AdminClient
from psycopg import sql

from scripts.devservers import Instance, Kafka, ServerUnavailable, ensure_running, private_instance

_numbers = itertools.count(1)


@dataclass
class Server:
    """A running server and its administrator's account."""

    instance: Instance

    @property
    def kind(self) -> str:
        """`postgres`, `mysql` or `mariadb`."""
        return self.instance.kind

    @property
    def host(self) -> str:
        return self.instance.host

    @property
    def port(self) -> int:
        return self.instance.port

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
        with _fresh_database(self) as database:
            yield database

    def start(self) -> None:
        self.instance.start()

    def stop(self) -> None:
        """Clean shutdown."""
        self.instance.stop()

    def kill(self) -> None:
        """kill -9."""
        self.instance.kill()

    def restart(self) -> None:
        """Stop and start; port and data stay. For private servers: the shared ones serve other tests too."""
        self.instance.restart()

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self.instance.pause()

    def resume(self) -> None:
        self.instance.resume()


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
class KafkaServer:
    """A running Kafka node; clients take `bootstrap`, its PLAINTEXT listener."""

    instance: Kafka

    @property
    def bootstrap(self) -> str:
        """`host:port` for `bootstrap.servers`."""
        return self.instance.bootstrap

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
        """Stop and start; port and data stay. For private servers: the shared one serves other tests too."""
        self.instance.restart()

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self.instance.pause()

    def resume(self) -> None:
        self.instance.resume()


# --- the shared servers ---


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Server:
    """The checkout's Postgres, wal_level=logical."""
    return _shared("postgres", request)


@pytest.fixture(scope="session")
def mysql(request: pytest.FixtureRequest) -> Server:
    """The checkout's MySQL 9."""
    return _shared("mysql", request)


@pytest.fixture(scope="session")
def mariadb(request: pytest.FixtureRequest) -> Server:
    """The checkout's MariaDB."""
    return _shared("mariadb", request)


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> KafkaServer:
    """The checkout's Kafka; give topics and groups names of your own, best under `kafka_prefix`."""
    with _unavailable_skips(request):
        instance = ensure_running("kafka")
    assert isinstance(instance, Kafka)
    return KafkaServer(instance)


@pytest.fixture
def kafka_prefix(kafka: KafkaServer) -> Iterator[str]:
    """A prefix for the names of this test's topics, which are deleted at its end."""
    prefix = f"t{os.getpid()}-{next(_numbers)}-"
    yield prefix
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    mine = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    if mine:
        for deletion in admin.delete_topics(mine).values():
            deletion.result(10)


@pytest.fixture
def pg_database(postgres: Server) -> Iterator[Database]:
    """A fresh Postgres database."""
    with _fresh_database(postgres) as database:
        yield database


@pytest.fixture
def mysql_database(mysql: Server) -> Iterator[Database]:
    """A fresh MySQL database."""
    with _fresh_database(mysql) as database:
        yield database


@pytest.fixture
def mariadb_database(mariadb: Server) -> Iterator[Database]:
    """A fresh MariaDB database."""
    with _fresh_database(mariadb) as database:
        yield database


# --- throw-away servers ---


@pytest.fixture
def private_postgres(request: pytest.FixtureRequest) -> Iterator[Callable[[], Server]]:
    """A factory of throw-away Postgres servers that the test may stop, kill, pause and start."""
    yield from _private("postgres", request)


@pytest.fixture
def private_mysql(request: pytest.FixtureRequest) -> Iterator[Callable[[], Server]]:
    """A factory of throw-away MySQL servers (about three seconds each)."""
    yield from _private("mysql", request)


@pytest.fixture
def private_mariadb(request: pytest.FixtureRequest) -> Iterator[Callable[[], Server]]:
    """A factory of throw-away MariaDB servers."""
    yield from _private("mariadb", request)


@pytest.fixture
def private_kafka(request: pytest.FixtureRequest) -> Iterator[Callable[..., KafkaServer]]:
    """A factory of throw-away Kafka nodes (about three seconds each).

    Its argument, if any, is called with the `Kafka` instance before the start, to add listeners and settings.
    """
    with ExitStack() as stack:

        def make(configure: Callable[[Kafka], None] | None = None) -> KafkaServer:
            with _unavailable_skips(request):
                instance = stack.enter_context(private_instance("kafka", configure))
            assert isinstance(instance, Kafka)
            return KafkaServer(instance)

        yield make


# --- how ---


def _shared(kind: str, request: pytest.FixtureRequest) -> Server:
    with _unavailable_skips(request):
        instance = ensure_running(kind)
    return Server(instance)


def _private(kind: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], Server]]:
    with ExitStack() as stack:

        def make() -> Server:
            with _unavailable_skips(request):
                instance = stack.enter_context(private_instance(kind))
            return Server(instance)

        yield make


@contextmanager
def _unavailable_skips(request: pytest.FixtureRequest) -> Iterator[None]:
    try:
        yield
    except ServerUnavailable as reason:
        if request.config.getoption("--require-services"):
            pytest.fail(f"a required server cannot be had: {reason}")
        pytest.skip(str(reason))


@contextmanager
def _fresh_database(server: Server) -> Iterator[Database]:
    # The process id keeps test runs apart that share the servers, the counter the tests of one run.
    database = Database(server, f"t{os.getpid()}_{next(_numbers)}")
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
