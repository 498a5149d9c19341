"""Fixtures of the tests on Kafka."""

from tests.support.kafka_pipeline import standalone

__all__ = ["standalone"]
