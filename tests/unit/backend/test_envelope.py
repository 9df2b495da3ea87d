"""RFC 3394, and what may be wrong with a key that arrives."""

from __future__ import annotations

import pytest

from bittern.backend.envelope import Kek, opened, sealed
from bittern.backend.messages import KeyEnvelope
from bittern.backend.values import Hex
from bittern.lorawan.crypto import wrap_key
from bittern.types import AppSKey, FNwkSIntKey, KeyEncryptionKey

KEY = "00112233445566778899aabbccddeeff"
RFC_3394 = [  # 4.1, 4.2 and 4.3: 128 bits of key data under 128, 192 and 256 bits
    ("000102030405060708090A0B0C0D0E0F", "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"),
    (
        "000102030405060708090A0B0C0D0E0F1011121314151617",
        "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D",
    ),
    (
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7",
    ),
]
KEK = Kek("net", KeyEncryptionKey(bytes(range(16))))
KEKS = {KEK.label: KEK.key}


@pytest.mark.parametrize(("kek", "wrapped"), RFC_3394)
def test_keys_are_wrapped_as_rfc_3394_has_it(kek: str, wrapped: str) -> None:
    key = KeyEncryptionKey.from_hex(kek)
    assert wrap_key(key, AppSKey.from_hex(KEY)).hex().upper() == wrapped
    envelope = KeyEnvelope(kek_label="x", aes_key=Hex.from_hex(wrapped))
    assert opened(AppSKey, envelope, {"x": key}) == AppSKey.from_hex(KEY)


@pytest.mark.parametrize("kek", [KEK, None])
def test_a_key_comes_out_as_it_went_in(kek: Kek | None) -> None:
    key = FNwkSIntKey.from_hex(KEY)
    envelope = sealed(key, kek)
    assert (envelope.kek_label, len(envelope.aes_key)) == (("net", 24) if kek else ("", 16))
    found = opened(FNwkSIntKey, envelope, KEKS)
    assert type(found) is FNwkSIntKey
    assert found == key


def test_an_envelope_does_not_print_what_is_in_it() -> None:
    envelope = sealed(AppSKey.from_hex(KEY), None)
    assert KEY not in repr(envelope).lower()
    assert "\\x" not in repr(envelope)


def test_a_label_that_is_not_known_here_is_named() -> None:
    problem = opened(AppSKey, sealed(AppSKey(bytes(16)), Kek("other", KEK.key)), KEKS)
    assert problem == "AppSKey is wrapped by 'other', which this server does not have"


@pytest.mark.parametrize("at", range(24))
def test_every_changed_byte_is_noticed(at: int) -> None:
    wrapped = bytearray(sealed(AppSKey(bytes(16)), KEK).aes_key)
    wrapped[at] ^= 1
    problem = opened(AppSKey, KeyEnvelope(kek_label="net", aes_key=Hex(wrapped)), KEKS)
    assert isinstance(problem, str)
    assert "wrapped by another 'net'" in problem


@pytest.mark.parametrize("size", [0, 1, 15, 17, 23, 25, 32])
@pytest.mark.parametrize("label", ["", "net"])
def test_a_key_of_another_size_is_refused(size: int, label: str) -> None:
    envelope = KeyEnvelope(kek_label=label, aes_key=Hex(bytes(size)))
    assert isinstance(opened(AppSKey, envelope, KEKS), str)


@pytest.mark.parametrize("size", [0, 8, 15, 17, 33])
def test_a_key_encryption_key_has_one_of_three_sizes(size: int) -> None:
    with pytest.raises(ValueError, match="16, 24 or 32 bytes"):
        KeyEncryptionKey(bytes(size))
    with pytest.raises(ValueError, match="32, 48 or 64 hexadecimal digits"):
        KeyEncryptionKey.from_hex("00" * size)
