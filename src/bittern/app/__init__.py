"""The composition root: builds every part, joins them, runs them, and ends them in order.

`running` is the list of all parts; the other files have a room each.
"""

from bittern.app.addresses import Addresses
from bittern.app.clock import steady_utc
from bittern.app.running import running

__all__ = ["Addresses", "running", "steady_utc"]
