"""Checks of a MySQL or MariaDB server and of our account on it, before anything is written.

Run by the command line. Nothing here changes the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from connectors.jdbc.dialects import Connection
from replicator.api.database import Problem

OLDEST = {"MySQL": (5, 7, 8), "MariaDB": (10, 3, 0)}
_NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP")


def check(connection: Connection, database: str) -> list[Problem]:
    """Everything about server and account that would keep tables from being written."""
    return [*_server(connection), *_privileges(connection, database)]


def _variables(connection: Connection) -> dict[str, str]:
    names = ("version", "sql_mode", "max_allowed_packet", "read_only", "innodb_page_size")
    row = connection.query("SELECT " + ", ".join(f"@@GLOBAL.{n}" for n in names))[0]
    return dict(zip(names, map(str, row), strict=True))


def _server(connection: Connection) -> Iterator[Problem]:
    values = _variables(connection)
    yield from too_old(values["version"])
    if "STRICT_TRANS_TABLES" not in values["sql_mode"] and "STRICT_ALL_TABLES" not in values["sql_mode"]:
        yield Problem(
            severity="warning",
            what="The server's sql_mode is not strict; our own sessions are, other writers' are not.",
            remedy="SET PERSIST sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES');",
        )
    if int(values["max_allowed_packet"]) < 4 * 1024 * 1024:
        yield Problem(
            severity="warning",
            what=f"max_allowed_packet is {values['max_allowed_packet']} bytes; rows above half of it are refused.",
            remedy="SET GLOBAL max_allowed_packet = 67108864;",
        )
    if values["read_only"] not in ("0", "OFF"):
        yield Problem(
            severity="error",
            what="The server is read-only (a replica?).",
            remedy="Name the writable server in the target URL, or SET GLOBAL read_only = OFF;",
        )
    if int(values["innodb_page_size"]) < 16_384:
        yield Problem(
            severity="warning",
            what=f"innodb_page_size is {values['innodb_page_size']}: keys and rows must be shorter than"
            " what tables are planned for.",
            remedy="Use a server with pages of 16 KB, or make tables with long keys yourself.",
        )


def too_old(text: str) -> Iterator[Problem]:
    kind = "MariaDB" if "mariadb" in text.lower() else "MySQL"
    oldest = OLDEST[kind]
    if tuple(int(n) for n in re.findall(r"\d+", text.removeprefix("5.5.5-"))[:3]) < oldest:
        yield Problem(
            severity="error",
            what=f"{kind} {text} is too old: {'.'.join(map(str, oldest))} or later is needed.",
            remedy=f"Replicate into a server of version {'.'.join(map(str, oldest))} or later.",
        )


def _privileges(connection: Connection, database: str) -> Iterator[Problem]:
    grants = [str(row[0]) for row in connection.query("SHOW GRANTS")]
    missing = missing_privileges(grants, database)
    if not missing:
        return
    account = str(connection.query("SELECT CURRENT_USER()")[0][0])
    user, _, host = account.rpartition("@")
    roles = [m[1] for g in grants if (m := _ROLE.match(g))]
    hint = (
        f" (or, if its role {roles[0]} has them: SET DEFAULT ROLE ALL TO '{user}'@'{host}';)" if roles else ""
    )
    yield Problem(
        severity="error",
        what=f"Account {account} lacks {', '.join(missing)} on {database}.",
        remedy=f"GRANT {', '.join(_NEEDED)} ON `{database}`.* TO '{user}'@'{host}';" + hint,
    )


_GRANT = re.compile(r"(GRANT|REVOKE) (.+?) ON (?:TABLE )?(\S+|`(?:[^`]|``)*`\.\S+) (?:TO|FROM) ")
_ROLE = re.compile(r"GRANT (`[^`]*`@`[^`]*`|`[^`]*`|'[^']*'(?:@'[^']*')?) TO ")


def missing_privileges(grants: Sequence[str], database: str) -> list[str]:
    """Which of the privileges the sink needs these `SHOW GRANTS` lines do not give on the whole database."""
    given: set[str] = set()
    for line in grants:
        found = _GRANT.match(line)
        if found is None or not _covers(found[3], database):
            continue
        names = {p.strip().upper() for p in re.sub(r"\([^)]*\)", "", found[2]).split(",")}
        if "ALL PRIVILEGES" in names or "ALL" in names:
            names |= set(_NEEDED)
        given = given - names if found[1] == "REVOKE" else given | names
    return [p for p in _NEEDED if p not in given]


def _covers(scope: str, database: str) -> bool:
    """Whether `*.*`, or the pattern of a grant on a database, means every table of this one."""
    if scope == "*.*":
        return True
    if not scope.endswith(".*"):
        return False
    name = scope[:-2].strip("`").replace("``", "`")
    if name == database:
        return True
    parts = re.findall(r"\\.|.", name, re.DOTALL)
    pattern = "".join({"%": ".*", "_": "."}.get(p, re.escape(p[-1])) for p in parts)
    return re.fullmatch(pattern, database, re.DOTALL) is not None
