"""Fixtures of these tests."""

from tests.support.fix_s3 import bucket, s3_server

__all__ = ["bucket", "s3_server"]
