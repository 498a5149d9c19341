"""Fixtures for real servers: the checkout's shared ones, a fresh database on each, and throw-away instances.

The shared servers are started when they do not run, and left running: the next test run is quick. A test that
stops, kills or reconfigures a server takes `private_postgres`, `private_mysql`, `private_mariadb` or `private_kafka`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from confluent_kafka.admin import AdminClient

from scripts.devservers import Kafka, ServerUnavailable, ensure_running, private_instance
from tests.support.running_servers import Database, KafkaServer, Server, fresh_database, own_name

# Tests get the types of their fixtures where they get the fixtures.
__all__ = ["Database", "KafkaServer", "Server"]


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
    prefix = f"{own_name('-')}-"
    yield prefix
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    mine = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    if mine:
        for deletion in admin.delete_topics(mine).values():
            deletion.result(10)


@pytest.fixture
def pg_database(postgres: Server) -> Iterator[Database]:
    """A fresh Postgres database."""
    with fresh_database(postgres) as database:
        yield database


@pytest.fixture
def mysql_database(mysql: Server) -> Iterator[Database]:
    """A fresh MySQL database."""
    with fresh_database(mysql) as database:
        yield database


@pytest.fixture
def mariadb_database(mariadb: Server) -> Iterator[Database]:
    """A fresh MariaDB database."""
    with fresh_database(mariadb) as database:
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
