"""Change-data-capture replication service: a Kafka Connect runtime in Python."""

__version__ = "0.1.0"
