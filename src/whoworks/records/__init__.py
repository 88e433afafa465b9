"""Records: raw rows with their provenance, read as text."""
