"""Options of workers and connectors, placeholders, and the files they come from."""
