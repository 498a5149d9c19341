"""Metrics: their names and their Prometheus form."""
