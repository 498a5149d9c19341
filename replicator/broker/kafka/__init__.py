"""Topics in Apache Kafka, through confluent-kafka; see broker."""

from replicator.broker.kafka.broker import KafkaBroker

__all__ = ["KafkaBroker"]
