from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import tokens

from bittern.errors import Conflict, KeyProviderRefused
from bittern.keys.root_keys import TokenRootKeys
from bittern.lorawan import crypto
from bittern.lorawan.frame import JoinAccept
from bittern.types import EUI64, AppKey, DevAddr, DevEUI, JoinEUI, NetID, NwkKey

DEV_EUI = DevEUI(EUI64.from_hex("0016c001ff000001"))
APP_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
NWK_KEY = bytes.fromhex("ec925802ae430ca77fd3dd73cb2cc588")
JOIN_EUI = JoinEUI(EUI64.from_int(9))


@pytest.fixture
async def root_keys(token: str) -> AsyncIterator[TokenRootKeys]:
    root_keys = TokenRootKeys(tokens.keys(token))
    yield root_keys
    await root_keys.close()


async def test_a_key_that_was_taken_is_known_by_its_device_and_kind(
    root_keys: TokenRootKeys,
) -> None:
    there = await root_keys.take(DEV_EUI, AppKey(APP_KEY))
    assert type(there) is AppKey
    assert there.reference == "0016c001ff000001 AppKey"
    await root_keys.take(DEV_EUI, NwkKey(NWK_KEY))
    labels = ["0016c001ff000001 AppKey", "0016c001ff000001 NwkKey"]
    assert await root_keys.labels(DEV_EUI) == labels
    with pytest.raises(Conflict):
        await root_keys.take(DEV_EUI, AppKey(APP_KEY))


async def test_nothing_brings_a_key_out(root_keys: TokenRootKeys) -> None:
    import pkcs11
    from pkcs11 import Attribute, KeyType, Mechanism

    await root_keys.take(DEV_EUI, AppKey(APP_KEY))

    def trying(session):
        (key,) = session.get_objects({Attribute.LABEL: "0016c001ff000001 AppKey"})
        with pytest.raises(pkcs11.AttributeSensitive):
            key[Attribute.VALUE]
        wrapping = session.generate_key(KeyType.AES, 256, store=False)
        with pytest.raises(pkcs11.PKCS11Error):
            wrapping.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP)
        for change in ({Attribute.EXTRACTABLE: True}, {Attribute.SENSITIVE: False}):
            with pytest.raises(pkcs11.PKCS11Error):
                key.copy(change)
            for attribute, value in change.items():
                with pytest.raises(pkcs11.PKCS11Error):
                    key[attribute] = value
        return [key[Attribute[name]] for name in ("SENSITIVE", "EXTRACTABLE", "WRAP", "PRIVATE")]

    assert await root_keys._token.change(trying) == [True, False, False, True]


async def test_the_token_does_what_a_key_in_memory_does(root_keys: TokenRootKeys) -> None:
    accept = JoinAccept(
        join_nonce=5,
        home_net_id=NetID.from_int(0),
        dev_addr=DevAddr.from_int(1),
        opt_neg=True,
        rx1_dr_offset=0,
        rx2_data_rate=0,
        rx_delay=1,
        cf_list=bytes(16),
        mic=bytes(4),
    )

    def all_of(nwk_key: NwkKey, app_key: AppKey):
        return (
            crypto.join_request_mic(nwk_key, b"a message longer than one block"),
            crypto.encrypt_join_accept(nwk_key, accept),
            crypto.derive_js_int_key(nwk_key, DEV_EUI),
            crypto.derive_js_enc_key(nwk_key, DEV_EUI),
            crypto.derive_session_keys_1_0(
                app_key, join_nonce=5, net_id=NetID.from_int(0), dev_nonce=3
            ),
            crypto.derive_session_keys_1_1(
                nwk_key, app_key, join_nonce=5, join_eui=JOIN_EUI, dev_nonce=3
            ),
        )

    app_key = await root_keys.take(DEV_EUI, AppKey(APP_KEY))
    nwk_key = await root_keys.take(DEV_EUI, NwkKey(NWK_KEY))
    there = await root_keys.using([app_key, nwk_key], lambda: all_of(nwk_key, app_key))
    assert there == all_of(NwkKey(NWK_KEY), AppKey(APP_KEY))
    assert app_key.prepared is None, "the token is asked by nobody else"


# python-pkcs11 complains of a search that ended with its session.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_token_that_began_anew_is_asked_again(root_keys: TokenRootKeys) -> None:
    app_key = await root_keys.take(DEV_EUI, AppKey(APP_KEY))
    tokens.begin_anew()
    mic = await root_keys.using([app_key], lambda: crypto.join_request_mic(app_key, b"m"))
    assert mic == crypto.join_request_mic(AppKey(APP_KEY), b"m")


async def test_a_key_that_is_not_there_is_named(root_keys: TokenRootKeys) -> None:
    app_key = AppKey.in_token("0016c001ff000001 AppKey")
    with pytest.raises(KeyProviderRefused, match="there is no key 0016c001ff000001 AppKey"):
        await root_keys.using([app_key], lambda: None)
    await root_keys.take(DEV_EUI, AppKey(APP_KEY))
    assert await root_keys.using([app_key], lambda: 1) == 1
    assert await root_keys.forget(app_key)
    assert not await root_keys.forget(app_key)
    with pytest.raises(KeyProviderRefused, match="there is no key"):
        await root_keys.using([app_key], lambda: crypto.join_request_mic(app_key, b"m"))
    assert await root_keys.labels(DEV_EUI) == []
