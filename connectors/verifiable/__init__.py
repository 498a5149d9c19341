"""Connectors for soak and failure tests: known sequences, records of a known schema, and failures on demand."""
