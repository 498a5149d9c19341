"""Fixtures of these tests."""

from tests.support.fix_search import search, topic

__all__ = ["search", "topic"]
