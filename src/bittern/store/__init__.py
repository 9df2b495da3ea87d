"""What must survive: sessions, the registry, queued downlinks and owed messages.

`ports` says what every engine does, `protocol` puts it together, `records` has the values, `vault`
the sealing; each engine is a folder.
"""
