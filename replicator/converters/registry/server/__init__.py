"""A schema registry of our own, with Confluent's interface."""

from replicator.converters.registry.server.routes import Registry, in_memory
from replicator.converters.registry.server.state import Journal, State

__all__ = ["Journal", "Registry", "State", "in_memory"]
