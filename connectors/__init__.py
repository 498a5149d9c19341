"""Connectors: sources and sinks that stand on `replicator.api` only."""
