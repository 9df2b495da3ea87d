"""The ports of the store: what every engine does, in the words of the network. A file each.

One behavioural test-suite runs over all engines. Every method is durable when it returns: what
was answered survives a power cut. Every method may raise `StoreUnavailable`, and then nothing of
the call was stored. A call whose task is cancelled may still be stored.
"""
