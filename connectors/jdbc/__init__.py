"""Sink and source for SQL databases."""
