"""How an owed message reaches its destination, at least once, from the outbox."""
