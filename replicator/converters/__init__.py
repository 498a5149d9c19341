"""Converters between Connect data and the bytes of topics."""
