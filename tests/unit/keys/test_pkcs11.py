from __future__ import annotations

import pytest
import tokens

from bittern.errors import KeyProviderRefused, KeyProviderUnavailable
from bittern.keys.pkcs11 import Pkcs11Provider
from bittern.keys.provider import KeyProvider

DATA_KEY = bytes(range(32))


@pytest.fixture
async def provider(token: str):
    provider = Pkcs11Provider(tokens.keys(token))
    assert await provider.make_key()
    yield provider
    await provider.close()


async def test_what_is_wrapped_unwraps_under_its_context_alone(provider: KeyProvider) -> None:
    wrapped = await provider.wrap(DATA_KEY, "bittern data key 3")
    assert DATA_KEY not in wrapped
    assert await provider.unwrap(wrapped, "bittern data key 3") == DATA_KEY
    with pytest.raises(KeyProviderRefused, match="does not unwrap bittern data key 4"):
        await provider.unwrap(wrapped, "bittern data key 4")


async def test_it_says_where_the_key_is(provider: Pkcs11Provider, token: str) -> None:
    assert provider.name == "pkcs11"
    assert provider.describe() == f"key bittern in token {token} by {tokens.MODULE}"
    assert tokens.PIN not in repr(provider)


async def test_two_of_one_key_are_wrapped_differently(provider: KeyProvider) -> None:
    assert await provider.wrap(DATA_KEY, "c") != await provider.wrap(DATA_KEY, "c")


async def test_every_flipped_bit_is_noticed(provider: KeyProvider) -> None:
    wrapped = await provider.wrap(DATA_KEY, "c")
    for place in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[place] ^= 1 << place % 8
        with pytest.raises(KeyProviderRefused):
            await provider.unwrap(bytes(changed), "c")
    with pytest.raises(KeyProviderRefused, match="no token has wrapped it"):
        await provider.unwrap(wrapped[:20], "c")


async def test_the_key_is_made_once(provider: Pkcs11Provider) -> None:
    wrapped = await provider.wrap(DATA_KEY, "c")
    assert not await provider.make_key()
    assert await provider.unwrap(wrapped, "c") == DATA_KEY


async def test_the_key_cannot_be_read_out(provider: Pkcs11Provider, token: str) -> None:
    import pkcs11

    def attributes(session):
        (key,) = session.get_objects({pkcs11.Attribute.LABEL: "bittern"})
        with pytest.raises(pkcs11.AttributeSensitive):
            key[pkcs11.Attribute.VALUE]
        names = ("SENSITIVE", "ALWAYS_SENSITIVE", "NEVER_EXTRACTABLE", "EXTRACTABLE", "LOCAL")
        return [key[pkcs11.Attribute[name]] for name in names]

    assert await provider._token.run(attributes) == [True, True, True, False, True]


async def test_a_key_that_can_be_read_out_is_not_used(token: str) -> None:
    import pkcs11

    provider = Pkcs11Provider(tokens.keys(token))
    await provider._token.change(
        lambda session: session.generate_key(
            pkcs11.KeyType.AES,
            256,
            label="bittern",
            store=True,
            template={pkcs11.Attribute.SENSITIVE: False, pkcs11.Attribute.EXTRACTABLE: True},
        )
    )
    with pytest.raises(KeyProviderRefused, match="can be read out of the token"):
        await provider.wrap(DATA_KEY, "c")
    await provider.close()


async def test_an_absent_key_is_told_with_the_cure(token: str) -> None:
    provider = Pkcs11Provider(tokens.keys(token))
    with pytest.raises(KeyProviderRefused, match="no such key; make it by `bittern token init`"):
        await provider.wrap(DATA_KEY, "c")
    await provider.close()


async def test_another_token_does_not_unwrap(provider: KeyProvider, token: str) -> None:
    wrapped = await provider.wrap(DATA_KEY, "c")
    tokens.make("another")
    other = Pkcs11Provider(tokens.keys("another"))
    await other.make_key()
    with pytest.raises(KeyProviderRefused, match="another key"):
        await other.unwrap(wrapped, "c")
    await other.close()


async def test_a_token_that_is_gone_is_unavailable(softhsm: None) -> None:
    provider = Pkcs11Provider(tokens.keys("never made"))
    with pytest.raises(KeyProviderUnavailable, match="no token of that label"):
        await provider.unwrap(b"", "c")
    await provider.close()
