"""Schema registries: the client, and the converters' common ground (wire format, subjects, caching)."""
