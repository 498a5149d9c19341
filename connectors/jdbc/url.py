"""Connection URLs: JDBC's, the databases' own and SQLAlchemy's forms of the same thing.

Pure parsing; no message shows a password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from replicator.api import ConfigError, Secret

OPTION: Final = "connection.url"
_KINDS: Final = {
    "mysql": "mysql",
    "mariadb": "mariadb",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "sqlite": "sqlite",
}
_PORTS: Final = {"mysql": 3306, "mariadb": 3306, "postgresql": 5432, "sqlite": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetUrl:
    """Where and as whom to connect.

    Attributes:
        kind: `mysql`, `mariadb`, `postgresql` or `sqlite`.
        host: host name or address; "" for SQLite.
        port: port; 0 for SQLite.
        user: account, or "".
        password: its password.
        database: database name; the file for SQLite.
        options: parameters of the URL, names as written.
    """

    kind: str
    host: str
    port: int
    user: str
    password: Secret
    database: str
    options: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.kind == "sqlite":
            return f"sqlite:{self.database}"
        account = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{account}{host}:{self.port}/{self.database}"


def parse_url(text: str, user: str | None = None, password: Secret | str | None = None) -> TargetUrl:
    """Parse a URL; `user` and `password`, when given, win over those inside it.

    Raises:
        ConfigError: the URL is of no known form; names `connection.url`.
    """
    stripped = text.strip()
    bare = stripped[5:] if stripped.lower().startswith("jdbc:") else stripped
    scheme, colon, rest = bare.partition(":")
    kind = _KINDS.get(scheme.lower().partition("+")[0])
    if not colon or kind is None:
        raise _wrong(
            "it must start with mysql, mariadb, postgresql or sqlite, for example mysql://host:3306/database"
        )
    secret = password if isinstance(password, Secret) else Secret(password) if password is not None else None
    if kind == "sqlite":
        return _sqlite(rest)
    return _network(kind, rest, user, secret)


def _sqlite(rest: str) -> TargetUrl:
    path, _, query = rest.partition("?")
    # sqlite:///relative, sqlite:////absolute (SQLAlchemy), sqlite:path (JDBC)
    file = unquote(path[3:] if path.startswith("///") else path)
    options = dict(parse_qsl(query, keep_blank_values=True))
    return TargetUrl(
        kind="sqlite", host="", port=0, user="", password=Secret(""), database=file, options=options
    )


def _network(kind: str, rest: str, user: str | None, password: Secret | None) -> TargetUrl:
    if not rest.startswith("//"):
        rest = f"//localhost/{rest}" if kind == "postgresql" else _missing_slashes()
    try:
        parts = urlsplit(f"{kind}:{rest}")
        port = parts.port
    except ValueError:
        raise _wrong("host or port cannot be read") from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.netloc.rpartition("@")[2].count(",") or parts.netloc.startswith("("):
        raise _wrong("it names several hosts; name one")
    url_user = unquote(parts.username) if parts.username is not None else options.pop("user", "")
    url_password = unquote(parts.password) if parts.password is not None else options.pop("password", "")
    options.pop("user", None)
    options.pop("password", None)
    return TargetUrl(
        kind=kind,
        host=unquote(parts.hostname or "localhost"),
        port=port or _PORTS[kind],
        user=user if user else url_user,
        password=password if password is not None else Secret(url_password),
        database=unquote(parts.path[1:]),
        options=options,
    )


def _missing_slashes() -> str:
    raise _wrong("it must have the form mysql://host:port/database")


def _wrong(why: str) -> ConfigError:
    # The text itself may hold a password, so it is not shown.
    return ConfigError(f"Invalid value for configuration {OPTION}: {why}", option=OPTION)
