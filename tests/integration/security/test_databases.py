"""TLS to real databases: every mode, against right, misnamed, unknown and expired certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.jdbc.dialects import mysql_connection, postgres
from connectors.jdbc.url import parse_url
from connectors.postgres.config import CONFIG
from connectors.postgres.connection import Connector
from replicator.api import ConnectError
from scripts.devservers import ServerUnavailable, private_instance
from tests.support.certificates import Authority, write

SERVERS = ("postgres", "mysql", "mariadb")


@dataclass
class Secured:
    """A server with a certificate for 127.0.0.1, and files of clients."""

    kind: str
    instance: Any
    folder: Path
    authority: Authority

    def file(self, name: str) -> str:
        return str(self.folder / name)

    def url(self, host: str = "127.0.0.1", account: str | None = None, **options: str) -> str:
        scheme = "postgresql" if self.kind == "postgres" else self.kind
        who = account or f"{self.instance.user}:{self.instance.password}"
        query = "&".join(f"{name}={value}" for name, value in options.items())
        database = "postgres" if self.kind == "postgres" else ""
        return f"{scheme}://{who}@{host}:{self.instance.port}/{database}?{query}"

    def connect(self, url: str) -> str:
        """Connect as the sink does; answers with the cipher, "" in plain text."""
        if self.kind == "postgres":
            connection: Any = postgres.PostgresConnection(parse_url(url), "test")
            sql = "SELECT coalesce(cipher, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        else:
            connection = mysql_connection.MySqlConnection(parse_url(url), "test")
            sql = "SHOW STATUS LIKE 'Ssl_cipher'"
        try:
            return str(connection.query(sql)[0][-1])
        finally:
            connection.close()


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, Secured]]:
    found = {}
    with ExitStack() as stack:
        for kind in SERVERS:
            folder = tmp_path_factory.mktemp(kind)
            authority = Authority()
            (folder / "ca.crt").write_text(authority.own.pem())
            (folder / "other-ca.crt").write_text(Authority("Somebody else").own.pem())
            write(folder, "server", authority.issue("127.0.0.1"))
            write(folder, "client", authority.issue("carla"))
            write(folder, "stranger", Authority("Somebody else").issue("carla"))
            (folder / "client.p12").write_bytes(authority.issue("carla").p12("pw"))

            def secure(instance: Any, folder: Path = folder) -> None:
                instance.tls = folder

            try:
                instance = stack.enter_context(private_instance(kind, secure))
            except ServerUnavailable as reason:
                if request.config.getoption("--require-services"):
                    raise
                pytest.skip(str(reason))
            found[kind] = Secured(kind, instance, folder, authority)
        yield found


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, servers: dict[str, Secured]) -> Secured:
    return servers[request.param]


MODES: dict[str, list[tuple[str, bool]]] = {
    # libpq's and JDBC's names; is the connection encrypted?
    "postgres": [
        ("sslmode=disable", False),
        ("sslmode=prefer", True),
        ("sslmode=require", True),
        ("sslmode=verify-ca&sslrootcert={ca.crt}", True),
        ("sslmode=verify-full&sslrootcert={ca.crt}", True),
        ("ssl=true&sslrootcert={ca.crt}", True),
        ("ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", True),
        ("ssl=false", False),
    ],
    "mysql": [
        ("ssl-mode=DISABLED", False),
        ("ssl-mode=PREFERRED", True),
        ("ssl-mode=REQUIRED", True),
        ("ssl-mode=VERIFY_CA&ssl-ca={ca.crt}", True),
        ("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca.crt}", True),
        ("sslMode=VERIFY_IDENTITY&trustCertificateKeyStoreUrl=file:{ca.crt}", True),
        ("useSSL=true", True),
        ("useSSL=true&requireSSL=true&verifyServerCertificate=true&ssl-ca={ca.crt}", True),
        ("useSSL=false", False),
        ("ssl_ca={ca.crt}", True),
        ("ssl-mode=REQUIRED&tls-version=TLSv1.2", True),
        ("", False),
    ],
    "mariadb": [
        ("sslMode=disable", False),
        ("sslMode=trust", True),
        ("sslMode=verify-ca&serverSslCert={ca.crt}", True),
        ("sslMode=verify-full&serverSslCert={ca.crt}", True),
        ("useSsl=true&trustServerCertificate=true", True),
        ("ssl-mode=REQUIRED", True),
        ("ssl_verify_identity=true&ssl_ca={ca.crt}", True),
    ],
}


@pytest.mark.parametrize(("kind", "query", "encrypted"), [(k, q, e) for k, m in MODES.items() for q, e in m])
def test_modes(servers: dict[str, Secured], kind: str, query: str, encrypted: bool) -> None:
    server = servers[kind]
    assert bool(server.connect(server.url() + _filled(server, query))) is encrypted


REFUSED: dict[str, list[tuple[str, str]]] = {
    # (host to ask for, options)
    "postgres": [
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert={other-ca.crt}"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={other-ca.crt}"),
        ("localhost", "sslmode=verify-full&sslrootcert={ca.crt}"),
        ("localhost", "ssl=true&sslrootcert={ca.crt}"),
    ],
    "mysql": [
        ("127.0.0.1", "ssl-mode=VERIFY_CA&ssl-ca={other-ca.crt}"),
        ("127.0.0.1", "ssl-mode=VERIFY_CA"),
        ("127.0.0.1", "ssl_ca={other-ca.crt}"),
        ("localhost", "sslMode=VERIFY_IDENTITY&ssl-ca={ca.crt}"),
    ],
    "mariadb": [
        ("127.0.0.1", "sslMode=verify-ca&serverSslCert={other-ca.crt}"),
        ("localhost", "sslMode=verify-full&serverSslCert={ca.crt}"),
    ],
}


@pytest.mark.parametrize(("kind", "host", "query"), [(k, h, q) for k, r in REFUSED.items() for h, q in r])
def test_what_cannot_be_verified_is_refused(
    servers: dict[str, Secured], kind: str, host: str, query: str
) -> None:
    server = servers[kind]
    with pytest.raises(ConnectError, match=r"(?i)certificate|hostname|does not match") as raised:
        server.connect(server.url(host) + _filled(server, query))
    assert server.instance.password not in str(raised.value).replace(server.instance.user, "", 1)
    # The authority alone does not care for the name.
    lenient = query.replace("verify-full", "verify-ca").replace("VERIFY_IDENTITY", "VERIFY_CA")
    if host == "localhost" and lenient != query:
        assert server.connect(server.url(host) + _filled(server, lenient))


def test_client_certificates(server: Secured) -> None:
    account, options = _certificate_account(server)
    own = options("client")
    assert server.connect(server.url(account=account) + own)
    for wrong in ("", options("stranger")):
        with pytest.raises(ConnectError):
            server.connect(server.url(account=account) + (wrong or _plain_tls(server)))


def test_client_certificate_in_a_key_store(servers: dict[str, Secured]) -> None:
    server = servers["mysql"]
    account, _ = _certificate_account(server)
    query = (
        "sslMode=REQUIRED&clientCertificateKeyStoreUrl=file:{client.p12}&clientCertificateKeyStorePassword=pw"
    )
    assert server.connect(server.url(account=account) + _filled(server, query))


def test_postgres_source(servers: dict[str, Secured]) -> None:
    server = servers["postgres"]
    options = {
        "topic.prefix": "t",
        "database.hostname": "127.0.0.1",
        "database.port": str(server.instance.port),
        "database.user": server.instance.user,
        "database.password": server.instance.password,
        "database.dbname": "postgres",
        "database.sslmode": "verify-full",
        "database.sslrootcert": server.file("ca.crt"),
    }
    for open_one in (Connector.plain, Connector.replication):
        connection = open_one(Connector(CONFIG.parse(options)), "test")
        assert connection.pgconn.ssl_in_use
        connection.close()
        wrong = options | {"database.sslrootcert": server.file("other-ca.crt")}
        with pytest.raises(ConnectError, match="certificate"):
            open_one(Connector(CONFIG.parse(wrong)), "test")


def test_expired_certificates(server: Secured) -> None:
    write(server.folder, "server", server.authority.issue("127.0.0.1", expired=True))
    verify = {
        "postgres": "sslmode=verify-ca&sslrootcert={ca.crt}",
        "mysql": "ssl-mode=VERIFY_CA&ssl-ca={ca.crt}",
        "mariadb": "sslMode=verify-ca&serverSslCert={ca.crt}",
    }[server.kind]
    try:
        server.instance.restart()
        with pytest.raises(ConnectError, match=r"(?i)certificate"):
            server.connect(server.url() + _filled(server, verify))
    finally:
        write(server.folder, "server", server.authority.issue("127.0.0.1"))
        server.instance.restart()
    assert server.connect(server.url() + _filled(server, verify))


def _filled(server: Secured, query: str) -> str:
    for file in server.folder.iterdir():
        query = query.replace(f"{{{file.name}}}", str(file))
    return query


def _plain_tls(server: Secured) -> str:
    return "sslmode=require" if server.kind == "postgres" else "ssl-mode=REQUIRED"


def _certificate_account(server: Secured) -> tuple[str, Callable[[str], str]]:
    """An account that needs a client certificate, and the options that show one."""
    if server.kind == "postgres":
        connection: Any = postgres.PostgresConnection(parse_url(server.url(sslmode="require")), "test")
        if not connection.query("SELECT 1 FROM pg_roles WHERE rolname = 'carla'"):
            connection.execute_text("CREATE ROLE carla LOGIN")
        connection.commit()
        rules = server.instance.data / "pg_hba.conf"
        line = "hostssl all carla 127.0.0.1/32 cert\n"
        if line not in rules.read_text():
            rules.write_text(line + rules.read_text())
        connection.query("SELECT pg_reload_conf()")
        connection.close()
        return (
            "carla",
            lambda who: f"sslmode=require&sslcert={server.file(who)}.crt&sslkey={server.file(who)}.key",
        )
    connection = mysql_connection.MySqlConnection(parse_url(server.url()), "test")
    connection.execute_text(
        "CREATE USER IF NOT EXISTS 'carla'@'%' IDENTIFIED BY 'c' REQUIRE SUBJECT '/CN=carla'"
    )
    connection.close()
    return (
        "carla:c",
        lambda who: f"ssl-mode=REQUIRED&ssl-cert={server.file(who)}.crt&ssl-key={server.file(who)}.key",
    )
