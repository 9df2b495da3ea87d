"""A token as key provider: an AES key in it wraps, and never leaves it.

AES-GCM with a random nonce of 12 bytes and the context as associated data: SoftHSM and the modules
of the makers have it. Wrapped: ``01``, the nonce, the data key encrypted, the tag of 16 bytes.
"""

from __future__ import annotations

import os

from bittern.config import Keys
from bittern.errors import KeyProviderRefused
from bittern.keys.token import NAME, SecretKey, Session, Token, stays_in, the_only

NONCE_SIZE = 12
TAG_BITS = 128
KEY_BITS = 256
FORM = b"\x01"


class Pkcs11Provider:
    """Logs in when it is first asked."""

    def __init__(self, keys: Keys) -> None:
        """Raises as `Token.open`."""
        self._token = Token.open(keys)
        self._label = keys.pkcs11_key

    @property
    def name(self) -> str:
        return NAME

    def describe(self) -> str:
        return f"key {self._label} in {self._token.where}"

    async def wrap(self, data_key: bytes, context: str) -> bytes:
        return await self._token.run(lambda session: self._wrapped(session, data_key, context))

    async def unwrap(self, wrapped: bytes, context: str) -> bytes:
        return await self._token.run(lambda session: self._unwrapped(session, wrapped, context))

    async def make_key(self) -> bool:
        """The key that wraps, where there is none; False: there is one.

        Raises `KeyProviderRefused` where that one can be read out of the token.
        """
        return await self._token.change(self._made)

    async def close(self) -> None:
        await self._token.close()

    # In the token's thread

    def _wrapped(self, session: Session, data_key: bytes, context: str) -> bytes:
        from pkcs11 import GCMParams, Mechanism

        nonce = os.urandom(NONCE_SIZE)
        sealed: bytes = self._key(session).encrypt(
            data_key,
            mechanism=Mechanism.AES_GCM,
            mechanism_param=GCMParams(nonce, context.encode(), TAG_BITS),
        )
        return FORM + nonce + sealed

    def _unwrapped(self, session: Session, wrapped: bytes, context: str) -> bytes:
        from pkcs11 import GCMParams, Mechanism, PKCS11Error

        key = self._key(session)
        form, nonce, sealed = wrapped[:1], wrapped[1:13], wrapped[13:]
        if form != FORM or len(sealed) < TAG_BITS // 8:
            raise self._refuse(f"does not unwrap {context}: no token has wrapped it")
        try:
            opened: bytes = key.decrypt(
                sealed,
                mechanism=Mechanism.AES_GCM,
                mechanism_param=GCMParams(nonce, context.encode(), TAG_BITS),
            )
        except PKCS11Error:
            # Modules tell a wrong tag in many ways. One that wraps as ever is not away.
            self._wrapped(session, bytes(32), context)
            reason = f"does not unwrap {context}: it was wrapped by another key, or was changed"
            raise self._refuse(reason) from None
        return opened

    def _key(self, session: Session) -> SecretKey:
        key = self._existing(session)
        if key is None:
            raise KeyProviderRefused(
                NAME, self.describe(), "there is no such key", "make it by `bittern token init`"
            )
        return key

    def _existing(self, session: Session) -> SecretKey | None:
        try:
            key = the_only(session, self._label)
        except ValueError as error:
            raise KeyProviderRefused(NAME, self.describe(), str(error)) from None
        if key is not None and not stays_in(key):
            cure = "use one that was made by `bittern token init`"
            reason = "the key can be read out of the token"
            raise KeyProviderRefused(NAME, self.describe(), reason, cure)
        return key

    def _made(self, session: Session) -> bool:
        from pkcs11 import Attribute, KeyType, MechanismFlag

        if self._existing(session) is not None:
            return False
        session.generate_key(
            KeyType.AES,
            KEY_BITS,
            label=self._label,
            store=True,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            template={
                Attribute.PRIVATE: True,
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
            },
        )
        return True

    def _refuse(self, reason: str) -> KeyProviderRefused:
        cure = "bring back the token whose key wrapped it, or restore the database"
        return KeyProviderRefused(NAME, self.describe(), reason, cure)

    def __repr__(self) -> str:
        return f"Pkcs11Provider({self.describe()!r})"
