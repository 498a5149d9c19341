"""The same input through Java's implementation and ours."""
