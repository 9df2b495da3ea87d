"""Root keys of devices in a token: they come in and never go out.

Each is an AES key of its own, labelled by its device and its kind (``0016c001ff000001 AppKey``),
sensitive and not extractable. What LoRaWAN does with it the token does: CMAC for the MICs of
join-requests and join-accepts, AES of single blocks for what is derived and for join-accepts
(TS001-1.0.4, 6.2; LoRaWAN 1.1, 6.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from bittern.config import Keys
from bittern.errors import Conflict, KeyProviderRefused
from bittern.keys.token import NAME, SecretKey, Session, Token, stays_in, the_only
from bittern.lorawan.crypto import bare_key
from bittern.types import AES128Key, DevEUI

T = TypeVar("T")
K = TypeVar("K", bound=AES128Key)


class TokenRootKeys:
    """Logs in when it is first asked."""

    def __init__(self, keys: Keys) -> None:
        """Raises as `Token.open`."""
        self._token = Token.open(keys)

    def describe(self) -> str:
        return self._token.where

    async def take(self, dev_eui: DevEUI, key: K) -> K:
        """The key is in the token from now on; returned is what it is called there.

        Raises `Conflict` where the device has a key of that kind there, and as `Token.run`.
        """
        label = label_of(dev_eui, type(key))
        await self._token.change(lambda session: self._made(session, label, dev_eui, key))
        return type(key).in_token(label)

    async def forget(self, key: AES128Key) -> bool:
        """Remove it for ever; whether it was there."""
        return await self._token.change(lambda session: _removed(session, key.reference or ""))

    async def forget_device(self, dev_eui: DevEUI) -> int:
        """Remove all its root keys for ever; how many there were."""

        def removing(session: Session) -> int:
            return sum(_removed(session, label) for label in _labels(session, dev_eui))

        return await self._token.change(removing)

    async def labels(self, dev_eui: DevEUI) -> list[str]:
        """Of the keys that the device has there."""
        return await self._token.run(lambda session: _labels(session, dev_eui))

    async def using(self, keys: Sequence[AES128Key], work: Callable[[], T]) -> T:
        """See `network.root_keys.RootKeys`. In the token's thread, one after the other, so a key
        is asked by one at a time."""

        def asking(session: Session) -> T:
            for key in keys:
                key.prepared = InToken(self._known(session, key.reference or ""))
            try:
                return work()
            finally:
                for key in keys:
                    key.prepared = None

        return await self._token.run(asking)

    async def close(self) -> None:
        await self._token.close()

    # In the token's thread

    def _made(self, session: Session, label: str, dev_eui: DevEUI, key: AES128Key) -> None:
        from pkcs11 import Attribute, KeyType, ObjectClass

        if the_only(session, label) is not None:
            raise Conflict("key in the token", label)
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.SECRET_KEY,
                Attribute.KEY_TYPE: KeyType.AES,
                Attribute.VALUE: bare_key(key),
                Attribute.LABEL: label,
                Attribute.ID: bytes(dev_eui),
                Attribute.TOKEN: True,
                Attribute.PRIVATE: True,
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
                Attribute.ENCRYPT: True,
                Attribute.DECRYPT: True,
                Attribute.SIGN: True,
                Attribute.VERIFY: False,
                Attribute.WRAP: False,
                Attribute.UNWRAP: False,
                Attribute.DERIVE: False,
            }
        )
        made = the_only(session, label)
        if made is None or not stays_in(made):
            _removed(session, label)
            raise KeyProviderRefused(NAME, self.describe(), "the token does not keep keys in")

    def _known(self, session: Session, label: str) -> SecretKey:
        try:
            key = self._token.key(session, label)
        except ValueError as error:
            raise KeyProviderRefused(NAME, self.describe(), str(error)) from None
        if key is None:
            raise KeyProviderRefused(NAME, self.describe(), f"there is no key {label}")
        return key


class InToken:
    """What the token does with one key: `lorawan.crypto.KeyOperations`."""

    def __init__(self, key: SecretKey) -> None:
        self._key = key

    def cmac(self, message: bytes) -> bytes:
        from pkcs11 import Mechanism

        return bytes(self._key.sign(message, mechanism=Mechanism.AES_CMAC))

    def encrypt(self, blocks: bytes) -> bytes:
        from pkcs11 import Mechanism

        return bytes(self._key.encrypt(blocks, mechanism=Mechanism.AES_ECB))

    def decrypt(self, blocks: bytes) -> bytes:
        from pkcs11 import Mechanism

        return bytes(self._key.decrypt(blocks, mechanism=Mechanism.AES_ECB))


def label_of(dev_eui: DevEUI, kind: type[AES128Key]) -> str:
    return f"{dev_eui} {kind.__name__}"


def _removed(session: Session, label: str) -> bool:
    key = the_only(session, label)
    if key is None:
        return False
    key.destroy()
    return True


def _labels(session: Session, dev_eui: DevEUI) -> list[str]:
    from pkcs11 import Attribute, ObjectClass

    template = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.ID: bytes(dev_eui)}
    return sorted(key.label for key in session.get_objects(template))
