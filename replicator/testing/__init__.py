"""Test kit for connectors and the runtime."""
