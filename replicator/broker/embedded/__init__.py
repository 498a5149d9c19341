"""The embedded broker: topics in one SQLite file."""

from replicator.broker.embedded.broker import EmbeddedBroker

__all__ = ["EmbeddedBroker"]
