"""Reads what an embedded log holds."""

from __future__ import annotations

from replicator.api import TopicPartition
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import Message


def everything(broker: EmbeddedBroker, *topics: str) -> list[Message]:
    consumer = broker.consumer("c")
    consumer.assign([TopicPartition(topic, 0) for topic in topics or ("t",)])
    found: list[Message] = []
    while piece := consumer.poll(1000, 0):
        found += piece
    consumer.close()
    return found
