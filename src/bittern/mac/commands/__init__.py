"""MAC commands as the network lives with them: one file per request/answer pair.

A file has, as far as the command takes it, three functions over immutable sessions:

- ``needs(session, ...)``: the device should be told something that it does not know yet;
- ``enqueue(session, ...)``: the request that tells it;
- ``handle(command, session, surroundings)``: what came from the device, to the session that
  follows and the commands that answer it.

``dispatch.py`` knows which file a command belongs to. A device asks for some things by itself
(LinkCheckReq, DeviceTimeReq, ResetInd, RekeyInd); for these there is only ``handle``.
"""
