"""Tasks and connectors at work."""
