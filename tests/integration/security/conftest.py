"""Fixtures of the tests of TLS and accounts."""

from tests.support.secured_kafka import node

__all__ = ["node"]
