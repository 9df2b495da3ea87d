"""A hardware security module, or a part of one, spoken to by PKCS#11 (OASIS PKCS #11, 2.40).

What is done in a token blocks, and a session of it does one thing at a time: it is done in a thread
of the token's own. A process logs in to a token once, whoever uses it.

A token counts wrong PINs and ends with its keys locked. So a PIN that was refused is not tried
again: not by this process, and not by the next, which sees that the token was given a wrong one
since anybody last logged in. A person tries then, by `bittern token login`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from bittern.config import Keys
from bittern.errors import KeyProviderRefused, KeyProviderUnavailable
from bittern.keys.secret_file import first_line

NAME = "pkcs11"
PIN_VARIABLE = "BITTERN_KEYS__PKCS11_PIN"
KEYS_KNOWN = 100_000
_COUNT_LOW, _FINAL_TRY, _LOCKED = 0x10000, 0x20000, 0x40000
"""CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED."""
_GONE = (
    "DeviceError",
    "DeviceRemoved",
    "FunctionFailed",
    "KeyHandleInvalid",
    "ObjectHandleInvalid",
    "SessionClosed",
    "SessionHandleInvalid",
    "TokenNotPresent",
    "UserNotLoggedIn",
)
"""Errors after which another session may fare better: the module or its token began anew."""

T = TypeVar("T")
Session = Any
SecretKey = Any
"""Of python-pkcs11, which need not be installed."""
Work = Callable[[Session], T]


class Token:
    """One of a process. `open` it for each user of it, and `close` as often."""

    _open: ClassVar[dict[tuple[Path, str], Token]] = {}
    _opening = threading.Lock()

    def __init__(self, module: Path, label: str) -> None:
        self.module = module
        self.label = label
        self._users = 0
        self._pin: Callable[[], str] = str
        self._refused: str | None = None
        """The PIN that was."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"token {label}")
        self._session: Session | None = None
        self._known: dict[str, SecretKey] = {}
        """Found in that session, by label: a token with many keys looks for one long."""

    @classmethod
    def open(cls, keys: Keys) -> Token:
        """Nothing is asked of the token yet. Raises `KeyProviderUnavailable` where the
        configuration names none."""
        if keys.pkcs11_module is None or keys.pkcs11_token is None:
            cure = "set keys.pkcs11_module and keys.pkcs11_token"
            raise KeyProviderUnavailable(NAME, "no token", "is configured", cure)
        place = (keys.pkcs11_module, keys.pkcs11_token)
        with cls._opening:
            token = cls._open.setdefault(place, cls(*place))
            token._users += 1
            token._pin = functools.partial(_pin, keys)
        return token

    @property
    def where(self) -> str:
        return f"token {self.label} by {self.module}"

    async def run(self, work: Work[T]) -> T:
        """In the token's thread, with a session for reading, logged in.

        Raises `KeyProviderRefused` for a PIN that was refused, `KeyProviderUnavailable` for a token
        that is away, and what `work` raises.
        """
        return await self._in_thread(functools.partial(self._reading, work))

    async def change(self, work: Work[T]) -> T:
        """The same with a session that may make and remove objects."""

        def writing(session: Session) -> T:
            with session.token.open(rw=True) as other:  # logged in, as all of a process are
                return work(other)

        return await self.run(writing)

    async def log_in(self) -> None:
        """Even though a wrong PIN was given before; once. Raises as `run`."""

        def trying() -> None:
            self._refused = None
            self._drop()
            self._session = self._logged_in(_library(self.module), despite=True)

        await self._in_thread(trying)

    async def close(self) -> None:
        with self._opening:
            self._users -= 1
            if self._users > 0 or self._open.get((self.module, self.label)) is not self:
                return
            del self._open[self.module, self.label]
        await self._in_thread(self._drop)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # In the token's thread

    def key(self, session: Session, label: str) -> SecretKey | None:
        """As `the_only`; found once. For `work` that `run` was given: one that is removed meanwhile
        is looked for anew, as everything is after an error."""
        key = self._known.get(label)
        if key is None:
            key = the_only(session, label)
            if key is not None:
                if len(self._known) >= KEYS_KNOWN:
                    self._known.clear()
                self._known[label] = key
        return key

    def _reading(self, work: Work[T]) -> T:
        library = _library(self.module)
        for last in (False, True):
            try:
                if self._session is None:
                    self._session = self._logged_in(library)
                return work(self._session)
            except library.PKCS11Error as error:
                kind = type(error).__name__
                if kind not in _GONE:
                    raise self._unavailable(kind) from None
                self._drop()
                if last:
                    raise self._unavailable(kind) from None
        raise AssertionError("the second try returns or raises")

    def _logged_in(self, library: Any, *, despite: bool = False) -> Session:
        token = self._found(library)
        flags = int(token.flags)
        if flags & _LOCKED:
            raise self._refuse("its PIN is locked", "let the token's security officer set it anew")
        if flags & (_COUNT_LOW | _FINAL_TRY) and not despite:
            raise self._refuse(
                "it was given a wrong PIN since anybody last logged in, so none is tried",
                "give the right one and try it by `bittern token login`",
            )
        pin = self._pin()
        if pin == self._refused:
            raise self._refuse("its PIN was refused, and is not tried again", "give the right PIN")
        try:
            return token.open(user_pin=pin)
        except library.UserAlreadyLoggedIn:
            return token.open()  # by one that is being closed: as all sessions of a process are
        except (library.PinIncorrect, library.PinLenRange, library.PinInvalid, library.PinLocked):
            self._refused = pin
            raise self._refuse(
                "its PIN was refused, and is not tried again",
                "give the right one and try it by `bittern token login`",
            ) from None

    def _found(self, library: Any) -> Any:
        try:
            module = library.lib(str(self.module))
            tokens = list(module.get_tokens(token_label=self.label))
            if not tokens and not self._others_are_open():
                # A module may look for tokens only when it begins.
                module.reinitialize()
                tokens = list(module.get_tokens(token_label=self.label))
        except (library.PKCS11Error, RuntimeError, OSError) as error:
            raise self._unavailable(f"the module fails: {type(error).__name__}") from None
        if len(tokens) == 1:
            return tokens[0]
        if tokens:
            raise self._refuse("several tokens have that label", "give each another label")
        raise self._unavailable("there is no token of that label")

    def _others_are_open(self) -> bool:
        """They would lose their sessions."""
        return any(
            module == self.module and token._session is not None
            for (module, _), token in list(self._open.items())
        )

    def _drop(self) -> None:
        session, self._session = self._session, None
        self._known.clear()
        if session is not None:
            with contextlib.suppress(RuntimeError):  # it ended before
                session.close()

    def _refuse(self, reason: str, cure: str) -> KeyProviderRefused:
        return KeyProviderRefused(NAME, self.where, reason, cure)

    def _unavailable(self, reason: str) -> KeyProviderUnavailable:
        cure = "see that the token is there, and that this user may use it"
        return KeyProviderUnavailable(NAME, self.where, reason, cure)


def the_only(session: Session, label: str) -> SecretKey | None:
    """The secret key of a label; None without one. Raises ValueError for several."""
    from pkcs11 import Attribute, ObjectClass

    template = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: label}
    found: list[Any] = list(session.get_objects(template))
    if len(found) > 1:
        raise ValueError(f"the token has {len(found)} keys labelled {label!r}")
    return found[0] if found else None


def stays_in(key: SecretKey) -> bool:
    """Whether its token keeps it: sensitive, and not extractable."""
    from pkcs11 import Attribute

    return bool(key[Attribute.SENSITIVE]) and not key[Attribute.EXTRACTABLE]


def _library(module: Path) -> Any:
    try:
        import pkcs11
    except ImportError:
        cure = "install bittern[pkcs11]"
        reason = "the package python-pkcs11 is not installed"
        raise KeyProviderUnavailable(NAME, str(module), reason, cure) from None
    return pkcs11


def _pin(keys: Keys) -> str:
    """Read anew each time: it may have been put right. Raises `KeyProviderError`,
    `KeyFileExposed`."""
    if keys.pkcs11_pin is not None:
        return keys.pkcs11_pin.expose()
    if keys.pkcs11_pin_file is not None:
        return first_line(keys.pkcs11_pin_file, NAME).expose()
    cure = f"set keys.pkcs11_pin_file or {PIN_VARIABLE}"
    raise KeyProviderUnavailable(NAME, "PIN of the token", "is not given", cure)
