"""What the vectors do not say; tests/vectors/test_lorawan.py holds the rest."""

from __future__ import annotations

import pytest

from bittern.lorawan import crypto
from bittern.lorawan.frame import EncryptedJoinAccept, JoinAccept
from bittern.types import (
    AES128Key,
    AppKey,
    AppSKey,
    DevAddr,
    FNwkSIntKey,
    NetID,
    NwkSEncKey,
    SNwkSIntKey,
)

# The example of the lora-packet documentation, which many implementations quote.
PHY_PAYLOAD = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
DEV_ADDR = DevAddr.from_hex("49be7df1")
NWK_S_KEY = "44024241ed4ce9a68c6a8bc055233fd3"
APP_S_KEY = "ec925802ae430ca77fd3dd73cb2cc588"


def test_well_known_frame_verifies_and_decrypts() -> None:
    mic = crypto.data_up_mic_1_0(FNwkSIntKey.from_hex(NWK_S_KEY), PHY_PAYLOAD[:-4], DEV_ADDR, 2)
    assert mic == PHY_PAYLOAD[-4:]
    key = AppSKey.from_hex(APP_S_KEY)
    clear = crypto.crypt_frm_payload(key, PHY_PAYLOAD[9:-4], DEV_ADDR, 2, uplink=True)
    assert clear == b"test"


def test_cmac_is_rfc_4493s() -> None:
    """RFC 4493, 4: example 2, a message of one block."""
    key = AppKey.from_hex("2b7e151628aed2a6abf7158809cf4f3c")
    message = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
    assert crypto.join_request_mic(key, message).hex() == "070a16b4"


def test_upper_half_of_the_counter_changes_the_mic() -> None:
    key = FNwkSIntKey.from_hex(NWK_S_KEY)
    msg = PHY_PAYLOAD[:-4]
    assert crypto.data_up_mic_1_0(key, msg, DEV_ADDR, 0x1_0002) != PHY_PAYLOAD[-4:]


def test_1_1_uplink_with_zero_extras_and_equal_keys_is_the_1_0_mic() -> None:
    """B1 then equals B0, so both halves come from the same CMAC."""
    msg = PHY_PAYLOAD[:-4]
    of_1_0 = crypto.data_up_mic_1_0(FNwkSIntKey.from_hex(NWK_S_KEY), msg, DEV_ADDR, 2)
    of_1_1 = crypto.data_up_mic_1_1(
        FNwkSIntKey.from_hex(NWK_S_KEY),
        SNwkSIntKey.from_hex(NWK_S_KEY),
        msg,
        DEV_ADDR,
        2,
        conf_fcnt=0,
        tx_dr=0,
        tx_ch=0,
    )
    assert of_1_1 == of_1_0[:2] * 2


def mic_1_1(conf_fcnt: int = 1, tx_dr: int = 2, tx_ch: int = 3) -> bytes:
    return crypto.data_up_mic_1_1(
        FNwkSIntKey(bytes(16)),
        SNwkSIntKey(bytes(range(16))),
        b"\x40msg",
        DEV_ADDR,
        7,
        conf_fcnt=conf_fcnt,
        tx_dr=tx_dr,
        tx_ch=tx_ch,
    )


@pytest.mark.parametrize("changed", ["conf_fcnt", "tx_dr", "tx_ch"])
def test_1_1_uplink_extras_change_the_first_half_only(changed: str) -> None:
    before, after = mic_1_1(), mic_1_1(**{changed: 9})
    assert before[:2] != after[:2]
    assert before[2:] == after[2:]


def test_only_the_low_half_of_an_acknowledged_counter_counts() -> None:
    key = SNwkSIntKey(bytes(16))
    mics = {
        crypto.data_down_mic(key, b"\x60msg", DEV_ADDR, 7, conf_fcnt=conf_fcnt)
        for conf_fcnt in (5, 0x1_0005)
    }
    assert len(mics) == 1


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 32, 33, 242])
def test_encrypting_twice_gives_the_payload_back(size: int) -> None:
    key, payload = AppSKey(bytes(range(16))), bytes(range(size))
    sent = crypto.crypt_frm_payload(key, payload, DEV_ADDR, 0xFFFF_FFFF, uplink=False)
    assert len(sent) == size
    assert size == 0 or sent != payload
    assert crypto.crypt_frm_payload(key, sent, DEV_ADDR, 0xFFFF_FFFF, uplink=False) == payload


def test_key_streams_of_directions_counters_and_fopts_all_differ() -> None:
    key = NwkSEncKey(bytes(range(16)))
    clear = bytes(15)
    streams = [
        crypto.crypt_frm_payload(key, clear, DEV_ADDR, 1, uplink=True),
        crypto.crypt_frm_payload(key, clear, DEV_ADDR, 1, uplink=False),
        crypto.crypt_frm_payload(key, clear, DEV_ADDR, 2, uplink=True),
        crypto.crypt_fopts(key, clear, DEV_ADDR, 1, uplink=True),
        crypto.crypt_fopts(key, clear, DEV_ADDR, 1, uplink=False),
        crypto.crypt_fopts(key, clear, DEV_ADDR, 1, uplink=False, a_fcnt_down=True),
    ]
    assert len(set(streams)) == len(streams)


def test_fopts_are_encrypted_as_the_erratum_says() -> None:
    """The A block written out: 01 | 000000 | 01 or 02 | Dir | DevAddr | FCnt | 00 | 01."""
    key = NwkSEncKey(bytes(range(16)))
    tail = DEV_ADDR.to_wire() + bytes.fromhex("0700000000" + "01")
    for a_fcnt_down, fifth in ((False, "01"), (True, "02")):
        block = bytes.fromhex("01000000" + fifth + "01") + tail
        # A join-accept is "decrypted" by one plain AES encryption, which makes an oracle of it.
        stream = crypto.clear_join_accept(AppKey(bytes(range(16))), b"\x20" + block)[1:]
        sent = crypto.crypt_fopts(
            key, bytes(15), DEV_ADDR, 7, uplink=False, a_fcnt_down=a_fcnt_down
        )
        assert sent == stream[:15]


def test_join_accept_opens_with_its_key_only() -> None:
    accept = JoinAccept(1, NetID(b"\x00\x00\x13"), DEV_ADDR, cf_list=bytes(16), mic=b"abcd")
    phy_payload = crypto.encrypt_join_accept(AppKey(bytes(16)), accept)
    assert len(phy_payload) == 33
    frame = EncryptedJoinAccept(phy_payload[1:])
    assert crypto.decrypt_join_accept(AppKey(bytes(16)), frame) == accept
    assert crypto.decrypt_join_accept(AppKey(bytes(range(16))), frame) != accept


def test_contexts_stay_with_the_key_and_are_used_again() -> None:
    key = FNwkSIntKey(bytes(16))
    first = crypto.data_up_mic_1_0(key, b"msg", DEV_ADDR, 1)
    prepared = key.prepared
    assert prepared is not None
    assert crypto.data_up_mic_1_0(key, b"msg", DEV_ADDR, 1) == first
    assert key.prepared is prepared


def test_one_nwk_s_key_plays_three_roles() -> None:
    keys = crypto.SessionKeys.of_1_0(b"n" * 16, b"a" * 16)
    assert keys.f_nwk_s_int_key == keys.s_nwk_s_int_key == keys.nwk_s_enc_key
    assert keys.app_s_key == AES128Key(b"a" * 16)
    assert type(crypto.as_kind(NwkSEncKey, keys.f_nwk_s_int_key)) is NwkSEncKey
    assert "61" * 16 not in repr(keys)


def test_mics_are_compared_whole() -> None:
    assert crypto.mic_equal(b"abcd", b"abcd")
    assert not crypto.mic_equal(b"abcd", b"abce")
    assert not crypto.mic_equal(b"abcd", b"abc")


class Elsewhere:
    """A token's side of a key; it counts what it does."""

    def __init__(self, value: str) -> None:
        self._key = AES128Key.from_hex(value)
        self.done: list[str] = []

    def cmac(self, message: bytes) -> bytes:
        self.done.append("cmac")
        return crypto._cmac(self._key, message)

    def encrypt(self, blocks: bytes) -> bytes:
        self.done.append("encrypt")
        return crypto._encrypt_blocks(self._key, blocks)

    def decrypt(self, blocks: bytes) -> bytes:
        self.done.append("decrypt")
        return crypto._decrypt_blocks(self._key, blocks)


def accept() -> JoinAccept:
    return JoinAccept(
        join_nonce=1,
        home_net_id=NetID.from_int(0),
        dev_addr=DEV_ADDR,
        opt_neg=False,
        rx1_dr_offset=0,
        rx2_data_rate=0,
        rx_delay=1,
        cf_list=None,
        mic=bytes(4),
    )


def test_a_root_key_in_a_token_does_all_that_one_in_memory_does() -> None:
    here, there = AppKey.from_hex(APP_S_KEY), AppKey.in_token("there")
    there.prepared = token = Elsewhere(APP_S_KEY)
    results = [
        (
            crypto.join_request_mic(key, b"message"),
            crypto.encrypt_join_accept(key, accept()),
            crypto.derive_session_keys_1_0(
                key, join_nonce=1, net_id=NetID.from_int(0), dev_nonce=2
            ),
        )
        for key in (here, there)
    ]
    assert results[0] == results[1]
    assert token.done == ["cmac", "decrypt", "encrypt", "encrypt"]


def test_a_root_key_in_a_token_that_nobody_asks_does_nothing() -> None:
    key = AppKey.in_token("there")
    with pytest.raises(LookupError, match="in a token"):
        crypto.join_request_mic(key, b"message")
    with pytest.raises(LookupError, match="in a token"):
        crypto.encrypt_join_accept(key, accept())
