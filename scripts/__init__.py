"""Developer tools of this checkout; not part of the wheel."""
