"""Who gets into the embedded broker: users, certificates, and how often one may try."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from bittern.errors import ConfigurationError
from bittern.outputs.broker.caller import Caller
from bittern.outputs.broker.throttle import LoginThrottle, ThrottleLimits
from bittern.outputs.broker.users import Change, Login, Users
from bittern.outputs.mqtt.packets import Connect, ConnectCode
from bittern.types import Instant

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Passwords that are checked at the same time: each costs 16 MiB and tens of milliseconds."""

NAME_LIMIT = 64


class Denied(msgspec.Struct, frozen=True):
    code: ConnectCode
    reason: str
    """For the log."""


OnDenied = Callable[[str, str, str], None]
"""Told of the user, the address and the reason in a few words."""


class Gate:
    def __init__(
        self,
        users: Users,
        *,
        now: Callable[[], Instant],
        refused_s: float,
        throttle: ThrottleLimits | None = None,
        on_denied: OnDenied | None = None,
    ) -> None:
        """A refusal is told after ``refused_s``."""
        self._on_denied = on_denied
        self._users = users
        self._now = now
        self._refused_s = refused_s
        self._throttle = LoginThrottle(throttle)
        self._checks = asyncio.Semaphore(AT_ONCE)
        self.refused = 0
        self.blocked = 0

    async def authenticate(self, connect: Connect, caller: Caller) -> Login | Denied:
        """With a password, the password decides; without one the certificate does."""
        if connect.password is None and caller.certificate is not None:
            answer = self._by_certificate(connect.username, caller.certificate)
        else:
            answer = await self._by_password(connect, caller)
        if isinstance(answer, Denied):
            self.refused += 1
            if self._on_denied is not None:
                self._on_denied(connect.username or "", caller.address, answer.code.name.lower())
            await asyncio.sleep(self._refused_s)
        return answer

    def _by_certificate(self, username: str | None, fingerprint: str) -> Login | Denied:
        holder = self._users.holder(fingerprint, self._now())
        if holder is None:
            reason = f"its certificate {fingerprint[:16]} is of no user"
            return Denied(ConnectCode.NOT_AUTHORIZED, reason)
        login = self._users.login(holder)
        if login is None or username not in (None, "", holder):
            reason = f"its certificate is of user {holder!r}, not of {username!r}"
            return Denied(ConnectCode.NOT_AUTHORIZED, reason)
        return login

    async def _by_password(self, connect: Connect, caller: Caller) -> Login | Denied:
        name, password = connect.username, connect.password
        if name is None or password is None:
            code = ConnectCode.BAD_CREDENTIALS if name else ConnectCode.NOT_AUTHORIZED
            return Denied(code, f"no password, user {name!r}")
        wrong = Denied(
            ConnectCode.BAD_CREDENTIALS, f"no such user or wrong password, user {name!r}"
        )
        if len(name) > NAME_LIMIT or self._users.remembers_wrong(name, password):
            return wrong
        blocked = self._blocked(caller, name)
        if blocked is None and not self._users.remembers(name, password):
            async with self._checks:
                # Again: else all that come at once are checked before the first is counted.
                blocked = self._blocked(caller, name)
                if blocked is None and not await self._check(caller, name, password):
                    return wrong
        login = self._users.login(name)
        if blocked is not None or login is None:
            return blocked or wrong
        self._throttle.right(caller.address, name)
        return login

    def _blocked(self, caller: Caller, name: str) -> Denied | None:
        wait_s = self._throttle.wait_s(caller.address, name, self._now())
        if wait_s <= 0:
            return None
        self.blocked += 1
        reason = f"too many wrong passwords, user {name!r}; the next is checked in {wait_s:.0f} s"
        return Denied(ConnectCode.NOT_AUTHORIZED, reason)

    async def _check(self, caller: Caller, name: str, password: bytes) -> bool:
        known = await asyncio.to_thread(self._users.check, name, password)
        if not known:
            self._throttle.wrong(caller.address, name, self._now())
        return known

    def login(self, username: str) -> Login | None:
        return self._users.login(username)

    def follow(self) -> Change | None:
        """What has changed in the users file since; None: nothing, or nothing that can be read."""
        if not self._users.changed():
            return None
        try:
            change = self._users.follow()
        except ConfigurationError as error:
            log.error("mqtt users stay as they were reason=%r", str(error))
            return None
        log.info("mqtt users=%d read again", len(self._users.names))
        return change
