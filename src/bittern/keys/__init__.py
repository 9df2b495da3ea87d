"""Keys at rest: the ring of data keys that seal what is stored, and who keeps the data keys."""
