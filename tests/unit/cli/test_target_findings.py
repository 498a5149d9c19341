"""Findings about the target that need no server: grants as servers print them, names that fold."""

from __future__ import annotations

import pytest

from connectors.jdbc.preflight import _collisions
from connectors.jdbc.preflight_server import missing_privileges, too_old
from replicator.api.database import TableInfo, TablePair

ALL = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP"]


@pytest.mark.parametrize(
    ("grants", "missing"),
    [
        (["GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION"], []),
        (["GRANT USAGE ON *.* TO `u`@`%`", "GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`"], []),
        (["GRANT USAGE ON *.* TO `u`@`%`", "GRANT ALL PRIVILEGES ON `shop`.`orders` TO `u`@`%`"], ALL),
        (["GRANT ALL PRIVILEGES ON `shop2`.* TO `u`@`%`"], ALL),
        (["GRANT ALL PRIVILEGES ON `sh\\_p`.* TO `u`@`%`"], ALL),
        (["GRANT ALL PRIVILEGES ON `sh_p`.* TO `u`@`%`"], []),
        (["GRANT SELECT (`a`, `b`), INSERT ON `shop`.* TO 'u'@'%'"], ["UPDATE", "DELETE", "CREATE", "ALTER", "DROP"]),
        (["GRANT ALL PRIVILEGES ON *.* TO `u`@`%`", "REVOKE DROP, ALTER ON `shop`.* FROM `u`@`%`"], ["ALTER", "DROP"]),
        (["GRANT PROXY ON ''@'' TO 'u'@'%'", "GRANT `r`@`%` TO `u`@`%`"], ALL),
        (["GRANT CREATE VIEW, SHOW VIEW ON `shop`.* TO `u`@`%`"], ALL),
    ],
)  # fmt: skip
def test_grants_as_printed(grants: list[str], missing: list[str]) -> None:
    assert missing_privileges(grants, "shop") == missing


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("9.7.4", False),
        ("5.7.8-log", False),
        ("5.7.7", True),
        ("10.11.19-MariaDB-ubu", False),
        ("10.2.44-MariaDB", True),
        ("5.5.5-10.6.1-MariaDB", False),
    ],
)
def test_servers_that_are_too_old(text: str, refused: bool) -> None:
    assert bool(list(too_old(text))) == refused


def test_table_names_that_a_server_folds_collide() -> None:
    pairs = [
        TablePair(source=TableInfo(schema="public", name=name, columns=()), target_name=name)
        for name in ("Orders", "orders", "other")
    ]
    assert list(_collisions(pairs, folds=False)) == []
    (found,) = _collisions(pairs, folds=True)
    assert "public.Orders and public.orders would both become table orders" in found.what
    assert found.severity == "error"
