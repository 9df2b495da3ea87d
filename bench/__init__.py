"""Load, latency and durability of bittern, measured from outside. ``README.md`` has the method."""
