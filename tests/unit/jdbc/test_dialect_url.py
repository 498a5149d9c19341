"""Forms of connection URLs."""

from __future__ import annotations

import pytest

from connectors.jdbc.dialects import postgres_tls
from connectors.jdbc.dialects.mysql_connection import connect_arguments
from connectors.jdbc.url import TargetUrl, parse_url
from replicator.api import ConfigError, Secret


@pytest.mark.parametrize(
    ("text", "kind", "host", "port", "database"),
    [
        ("jdbc:mysql://h:33/db", "mysql", "h", 33, "db"),
        ("mysql+pymysql://h/db?charset=utf8mb4", "mysql", "h", 3306, "db"),
        ("jdbc:mariadb://h/db", "mariadb", "h", 3306, "db"),
        ("postgresql+psycopg://[::1]:1/db", "postgresql", "::1", 1, "db"),
        ("jdbc:postgresql:db", "postgresql", "localhost", 5432, "db"),
        ("postgres://h", "postgresql", "h", 5432, ""),
        ("mysql://h/a%2Fb", "mysql", "h", 3306, "a/b"),
        ("jdbc:sqlite:/tmp/x.db", "sqlite", "", 0, "/tmp/x.db"),
        ("sqlite:///x.db", "sqlite", "", 0, "x.db"),
        ("sqlite:////tmp/x.db", "sqlite", "", 0, "/tmp/x.db"),
    ],
)
def test_forms(text: str, kind: str, host: str, port: int, database: str) -> None:
    url = parse_url(text)
    assert (url.kind, url.host, url.port, url.database) == (kind, host, port, database)


def test_account_of_the_url_and_of_the_options() -> None:
    url = parse_url("mysql://us%40er:p%3A%2F@h/db")
    assert (url.user, url.password.reveal()) == ("us@er", "p:/")
    url = parse_url("jdbc:mysql://h/db?user=u&password=p%26&x=1")
    assert (url.user, url.password.reveal(), url.options) == ("u", "p&", {"x": "1"})
    url = parse_url("mysql://u:p@h/db", "other", Secret("q"))
    assert (url.user, url.password.reveal()) == ("other", "q")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h/db",
        "oracle://u:hunter2@h",
        "mysql:hunter2",
        "mysql://u:hunter2@h:port/db",
        "mysql://u:hunter2@a:1,b:2/db",
    ],
)
def test_what_cannot_be_read_names_the_option_and_no_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(text)
    assert caught.value.option == "connection.url"
    assert "hunter2" not in str(caught.value)


def test_no_text_shows_the_password() -> None:
    url = parse_url("mysql://u:hunter2@h/db")
    assert "hunter2" not in f"{url} {url!r}"


def tls(query: str, host: str = "h") -> tuple[str, str] | str:
    """ "off", "where offered", or (what is verified, whether the name is)."""
    arguments = connect_arguments(parse_url(f"mysql://{host}/db?{query}"))
    if arguments.get("ssl_disabled"):
        return "off"
    context = arguments.get("ssl")
    if context is None:
        return "where offered"
    return context.verify_mode.name, "name" if context.check_hostname else "any name"


UNVERIFIED, AUTHORITY, IDENTITY = (
    ("CERT_NONE", "any name"),
    ("CERT_REQUIRED", "any name"),
    ("CERT_REQUIRED", "name"),
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "where offered"),
        ("ssl-mode=PREFERRED", "where offered"),
        ("ssl-mode=DISABLED", "off"),
        ("sslMode=disable", "off"),
        ("useSSL=false", "off"),
        ("skip-ssl=1", "off"),
        ("ssl-mode=REQUIRED", UNVERIFIED),
        ("sslMode=trust", UNVERIFIED),
        ("useSSL=true", UNVERIFIED),
        ("requireSSL=true", UNVERIFIED),
        ("useSsl=true&trustServerCertificate=true", UNVERIFIED),
        ("sslMode=VERIFY_CA", AUTHORITY),
        ("useSSL=true&verifyServerCertificate=true", AUTHORITY),
        ("ssl_verify_cert=true", AUTHORITY),
        ("ssl_mode=verify_identity", IDENTITY),
        ("sslMode=verify-full", IDENTITY),
        ("ssl_verify_identity=true", IDENTITY),
        ("sslMode=verify-full&disableSslHostnameVerification=true", AUTHORITY),
    ],
)
def test_tls_options(query: str, expected: object) -> None:
    assert tls(query) == expected


def test_tls_on_this_machine_only_when_asked_for() -> None:
    assert tls("", "127.0.0.1") == "off"
    assert tls("ssl-mode=REQUIRED", "127.0.0.1") == UNVERIFIED


def test_a_file_that_cannot_be_read_names_the_url() -> None:
    with pytest.raises(ConfigError, match="No such file") as caught:
        tls("ssl-mode=VERIFY_CA&ssl-ca=/nowhere")
    assert caught.value.option == "connection.url"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("sslmode=require", {"sslmode": "require"}),
        ("ssl=true", {"sslmode": "verify-full"}),
        ("ssl", {"sslmode": "verify-full"}),
        ("ssl=false", {"sslmode": "disable"}),
        ("ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", {"sslmode": "require"}),
        ("sslmode=verify-ca&sslrootcert=/ca&sslcert=/c&sslkey=/k&sslpassword=p",
         {"sslmode": "verify-ca", "sslrootcert": "/ca", "sslcert": "/c", "sslkey": "/k", "sslpassword": "p"}),
        ("channelBinding=require", {"channel_binding": "require"}),
    ],
)  # fmt: skip
def test_tls_options_of_postgres(query: str, expected: dict[str, str]) -> None:
    assert postgres_tls.tls_arguments(parse_url(f"jdbc:postgresql://h/db?{query}")) == expected


def test_a_wrong_mode_of_postgres() -> None:
    with pytest.raises(ConfigError, match="sslmode"):
        postgres_tls.tls_arguments(parse_url("postgresql://h/db?sslmode=maybe"))


@pytest.mark.parametrize("query", ["ssl-mode=NONSENSE", "connectTimeout=soon"])
def test_wrong_options_name_the_url(query: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tls(query)
    assert caught.value.option == "connection.url"


def test_time_limits() -> None:
    limits = connect_arguments(parse_url("mysql://h/db?connectTimeout=1500&read_timeout=7"))
    assert (limits["connect_timeout"], limits["read_timeout"]) == (1.5, 7.0)


def test_url_is_a_plain_value() -> None:
    assert isinstance(parse_url("mysql://h"), TargetUrl)
    assert parse_url("mysql://h/x") == parse_url("jdbc:mysql://h/x")
