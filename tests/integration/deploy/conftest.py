"""Fixtures of this folder."""

from tests.support.sync_process import make_sync

__all__ = ["make_sync"]
