"""Preflight of exactly-once sources."""

from __future__ import annotations

from typing import Any

import pytest

from replicator.herder.exactly_once_checks import check_exactly_once


class Connector:
    def __init__(self, support: Any = True, boundaries: Any = True) -> None:
        self._support, self._boundaries = support, boundaries

    def exactly_once_support(self, config: Any) -> Any:
        if isinstance(self._support, Exception):
            raise self._support
        return self._support

    def can_define_transaction_boundaries(self, config: Any) -> Any:
        if isinstance(self._boundaries, Exception):
            raise self._boundaries
        return self._boundaries


REQUIRED = {"exactly.once.support": "required"}
BY_CONNECTOR = {"transaction.boundary": "Connector"}


@pytest.mark.parametrize(
    ("support", "message"),
    [
        (None, "does not implement the API"),
        (False, "does not support exactly-once semantics with the provided configuration."),
        (ValueError("x"), "An unexpected error occurred during validation: x"),
        (ValueError(), "please see the worker logs"),
    ],
)
def test_required_needs_a_connector_that_supports_it(support: Any, message: str) -> None:
    found = check_exactly_once(Connector(support), REQUIRED, enabled=True)
    assert [option for option, _ in found] == ["exactly.once.support"]
    assert message in found[0][1]


def test_required_needs_a_worker_that_does_it() -> None:
    assert check_exactly_once(Connector(), REQUIRED, enabled=True) == []
    assert check_exactly_once(Connector(), {"exactly.once.support": " REQUIRED "}, enabled=False)
    assert check_exactly_once(Connector(), REQUIRED, enabled=False) == [
        ("exactly.once.support", "This worker does not have exactly-once source support enabled.")
    ]


@pytest.mark.parametrize("boundaries", [False, ValueError("x")])
def test_boundaries_of_the_connector_need_one_that_defines_them(boundaries: Any) -> None:
    found = check_exactly_once(Connector(boundaries=boundaries), BY_CONNECTOR, enabled=False)
    assert [option for option, _ in found] == ["transaction.boundary"]


def test_nothing_asked_for_nothing_checked() -> None:
    picky = Connector(ValueError(), ValueError())
    assert check_exactly_once(picky, {"exactly.once.support": "requested"}, enabled=False) == []
    assert check_exactly_once(Connector(), BY_CONNECTOR, enabled=False) == []
