"""Plugins of docs/plugins.md."""
