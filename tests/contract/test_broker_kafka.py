"""The Kafka broker keeps the broker contract against a real node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replicator.broker.base import Broker
from replicator.broker.kafka import KafkaBroker
from replicator.testing.suites.broker import BrokerContract
from tests.support.fix_servers import KafkaServer


class TestKafka(BrokerContract):
    @pytest.fixture
    def broker(self, kafka: KafkaServer) -> Iterator[Broker]:
        with KafkaBroker({"bootstrap.servers": kafka.bootstrap}) as opened:
            yield opened

    @pytest.fixture
    def topic(self, kafka_prefix: str) -> str:
        return f"{kafka_prefix}t"

    @pytest.fixture
    def group(self, kafka_prefix: str) -> str:
        return f"{kafka_prefix}g"
