"""Fixtures of this folder."""

from tests.support.fix_page import chromium, page, page_url, place
from tests.support.sync_process import make_sync

__all__ = ["chromium", "make_sync", "page", "page_url", "place"]
