"""What must survive: sessions, the registry, queued downlinks and owed messages.

`protocol` has the ports, `records` the values, `vault` the sealing; each engine is a folder.
"""
