"""Finding, naming and building plugins."""
