"""What comes in is read or refused: bytes by FrameError, text by ValueError with what there is.

Round trips of frames and commands are in ``test_lorawan_round_trips.py``; here is what else of
``lorawan`` takes what somebody else has written.
"""

from __future__ import annotations

import contextlib
import json
import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.errors import CommandError, FrameError
from bittern.lorawan import crypto, regions
from bittern.lorawan.airtime import time_on_air_s
from bittern.lorawan.class_b import MAX_PERIODICITY, SLOT_US, next_ping_slot, ping_period
from bittern.lorawan.commands import (
    DOWNLINK_COMMANDS,
    UPLINK_COMMANDS,
    MacCommand,
    read_downlink_commands,
    read_uplink_commands,
)
from bittern.lorawan.diagnosis import FrameContext, FrameKeys
from bittern.lorawan.frame import EncryptedJoinAccept, JoinAccept, parse, parse_join_accept
from bittern.lorawan.gps_time import gps_time_us, utc_of_gps_us
from bittern.lorawan.inspection import inspect_frame
from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.versions import MacVersion
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    GatewayEUI,
    Instant,
    JoinEUI,
    JSEncKey,
    NetID,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

secret = st.binary(min_size=16, max_size=16)
eui = st.binary(min_size=8, max_size=8).map(EUI64)
phy_payloads = st.binary(max_size=260) | st.builds(
    lambda mtype, rest: bytes((mtype << 5,)) + rest,
    st.integers(0, 7),
    st.sampled_from((11, 16, 18, 22, 23, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n)),
)
"""Half of them with a header that is right, in the sizes that frames have."""

# Bytes


@given(phy_payloads)
def test_no_frame_raises_anything_else(phy_payload: bytes) -> None:
    with contextlib.suppress(FrameError):
        parse(phy_payload)


@given(
    st.sampled_from((16, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n)),
    st.sampled_from((AppKey, NwkKey, JSEncKey)),
    secret,
)
def test_a_join_accept_under_any_key_is_one_or_a_frame_error(
    ciphertext: bytes, kind: Callable[[bytes], Any], key: bytes
) -> None:
    """Under a wrong key it is any bytes: a plain AES block says nothing of that."""
    with contextlib.suppress(FrameError):
        opened = crypto.decrypt_join_accept(kind(key), EncryptedJoinAccept(ciphertext))
        assert isinstance(opened, JoinAccept)
        assert (opened.cf_list is not None) == (len(ciphertext) == 32)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 255))
def test_any_cf_list_is_explained(cf_list: bytes, kind: int) -> None:
    clear = b"\x20" + bytes(12) + cf_list[:15] + bytes((kind,)) + bytes(4)
    assert parse_join_accept(clear).cf_list == clear[13:29]
    nwk_key = NwkKey(bytes(16))
    frame = crypto.encrypt_join_accept(nwk_key, parse_join_accept(clear))
    keys = FrameKeys(nwk_key=nwk_key)
    tree = json.loads(json.dumps(inspect_frame(frame, keys)))
    told = tree["MACPayload"]["CFList"]
    assert told["CFListType"] == kind
    expected = {0: "FrequenciesHz", 1: "EnabledChannels"}.get(kind, "Reason")
    assert expected in told


@pytest.mark.parametrize(
    "kind", UPLINK_COMMANDS + DOWNLINK_COMMANDS, ids=lambda kind: kind.__name__
)
@given(payload=st.binary(max_size=8))
def test_a_command_of_another_size_is_refused(kind: type[MacCommand], payload: bytes) -> None:
    if len(payload) == kind.SIZE:
        assert kind.unpack(payload) == kind.unpack(kind.unpack(payload).write())
    else:
        with pytest.raises(CommandError):
            kind.unpack(payload)


@pytest.mark.parametrize("read", [read_uplink_commands, read_downlink_commands])
@given(st.lists(st.integers(0, 0x20), max_size=60).map(bytes))
def test_commands_are_read_up_to_the_first_that_cannot_be(
    read: Callable[[bytes], tuple[list[MacCommand], CommandError | None]], data: bytes
) -> None:
    """Mostly bytes that are CIDs."""
    commands, problem = read(data)
    size = sum(1 + command.SIZE for command in commands)
    assert (problem is None) == (size == len(data))
    assert [command.CID for command in commands] == _cids(data, commands)


def _cids(data: bytes, commands: list[MacCommand]) -> list[int]:
    found, at = [], 0
    for command in commands:
        found.append(data[at])
        at += 1 + command.SIZE
    return found


contexts = st.builds(
    FrameContext,
    version=st.none() | st.sampled_from(MacVersion),
    fcnt_msb=st.integers(0, 0xFFFF),
    conf_fcnt=st.integers(0, 0xFFFF_FFFF),
    tx_dr=st.none() | st.integers(0, 255),
    tx_ch=st.none() | st.integers(0, 255),
    dev_eui=st.none() | eui.map(DevEUI),
    join_eui=st.none() | eui.map(JoinEUI),
    dev_nonce=st.none() | st.integers(0, 0xFFFF),
    join_req_type=st.sampled_from((0, 1, 2, 255)),
)


def some(kind: Callable[[bytes], Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.just(kind(b"k" * 16))


some_keys = st.builds(
    FrameKeys,
    nwk_s_key=some(FNwkSIntKey),
    f_nwk_s_int_key=some(FNwkSIntKey),
    s_nwk_s_int_key=some(SNwkSIntKey),
    nwk_s_enc_key=some(NwkSEncKey),
    app_s_key=some(AppSKey),
    app_key=some(AppKey),
    nwk_key=some(NwkKey),
)


@given(phy_payloads, some_keys, contexts)
def test_any_bytes_are_explained_whatever_is_known_of_the_device(
    phy_payload: bytes, keys: FrameKeys, context: FrameContext
) -> None:
    with contextlib.suppress(FrameError):
        tree = inspect_frame(phy_payload, keys, context)
        assert (b"k" * 16).hex() not in json.dumps(tree)


@given(
    st.sampled_from(
        ("fcnt_msb", "conf_fcnt", "tx_dr", "tx_ch", "dev_nonce", "join_req_type"),
    ),
    st.integers(),
)
def test_a_number_fits_its_field_or_is_refused(name: str, number: int) -> None:
    with contextlib.suppress(ValueError):
        inspect_frame(
            bytes.fromhex("40f17dbe4900020001954378762b11ff0d"),
            None,
            FrameContext(**{name: number}),  # type: ignore[arg-type]
        )


# Text

written = (
    st.text(max_size=40)
    | st.text(string.ascii_letters + string.digits + " ._-()", max_size=40)
    | st.from_regex(r"(LoRaWAN )?v?1[._][0-9٣]{1,3}([._][0-9]{1,3})?", fullmatch=True)
    | st.from_regex(
        r"(TS0*1|RP0*[12])[-_ ]v?1[._][0-9]{1,2}([._][0-9]{1,2})? ?([Rr]ev)?[ABab]?",
        fullmatch=True,
    )
    | st.integers(1, 5).map(lambda n: "1." + 10**n * "1")
)


@given(written)
def test_any_text_is_a_version_or_refused_with_those_there_are(text: str) -> None:
    try:
        assert MacVersion.parse(text) in MacVersion
    except ValueError as error:
        assert str(error).endswith("there are " + ", ".join(MacVersion))


@given(written, st.none() | st.sampled_from(MacVersion))
def test_any_text_is_a_revision_or_refused_with_those_there_are(
    text: str, version: MacVersion | None
) -> None:
    try:
        found = RegionalParameters.parse(text, version)
        assert RegionalParameters.parse(str(found)) is found
    except ValueError as error:
        assert str(error).endswith("there are " + ", ".join(RegionalParameters))


@given(written | st.sampled_from(regions.names()).map(str.lower))
def test_any_text_is_a_region_or_refused_with_those_there_are(text: str) -> None:
    try:
        assert regions.plan(text).name in regions.names()
    except ValueError as error:
        assert str(error).endswith("known are " + ", ".join(regions.names()))


@pytest.mark.parametrize("kind", [EUI64, DevEUI, JoinEUI, GatewayEUI, DevAddr, NetID])
@given(text=st.text(max_size=24) | st.text("0123456789abcdefABCDEF-: ", max_size=24))
def test_any_text_is_an_identifier_or_a_value_error(kind: Any, text: str) -> None:
    of = EUI64 if kind in (DevEUI, JoinEUI, GatewayEUI) else kind
    with contextlib.suppress(ValueError):
        found = of.from_hex(text)
        assert of.from_hex(str(found)) == found
        assert of.from_wire(found.to_wire()) == found


@given(st.text(max_size=40) | st.text("0123456789abcdef", min_size=30, max_size=34))
def test_text_that_is_no_key_is_refused_without_being_told(text: str) -> None:
    try:
        assert AppKey.from_hex(text) == AppKey(bytes.fromhex(text))
    except ValueError as error:
        assert str(error) == "AppKey is 32 hexadecimal digits"


# Times and numbers


@given(
    st.integers(0, 2**62),
    st.binary(min_size=4, max_size=4).map(DevAddr),
    st.integers(-(2**31), 2**31) | st.integers(0, MAX_PERIODICITY),
)
def test_any_time_has_a_next_ping_slot_or_the_periodicity_is_refused(
    after_us: int, dev_addr: DevAddr, periodicity: int
) -> None:
    try:
        slot = next_ping_slot(after_us, dev_addr, periodicity)
    except ValueError:
        assert not 0 <= periodicity <= MAX_PERIODICITY
    else:
        assert after_us <= slot.gps_time_us <= after_us + 2 * 128_000_000
        assert slot.gps_time_us - slot.beacon_time_s * 1_000_000 < 128_000_000
        assert ping_period(periodicity) * SLOT_US * 2 ** (MAX_PERIODICITY - periodicity) > 0


@given(st.integers(0, 2**53))
def test_gps_time_of_a_gateway_comes_back_to_the_microsecond_of_a_clock(gps_us: int) -> None:
    there_and_back = gps_time_us(Instant(utc_of_gps_us(gps_us)))
    assert abs(there_and_back - gps_us) <= 1


@given(st.sampled_from(regions.names()), st.integers(0, 255), st.booleans())
def test_any_size_at_any_data_rate_takes_its_time(name: str, size: int, crc: bool) -> None:
    for row in regions.plan(name).data_rates.values():
        assert 0 < time_on_air_s(row, size, crc=crc) < 30
