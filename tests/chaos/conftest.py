"""Fixtures of this folder."""

from tests.support.group_pipeline import make_pipeline
from tests.support.sync_process import make_sync

__all__ = ["make_pipeline", "make_sync"]
