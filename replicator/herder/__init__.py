"""What runs where: connectors, their configurations and target states."""
