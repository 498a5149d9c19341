"""Fixtures of the tests on Kafka."""

from tests.support.kafka_pipeline import make_standalone, standalone

__all__ = ["make_standalone", "standalone"]
