"""The application core: the life of uplinks, joins and downlinks, over ports and pure parts."""
