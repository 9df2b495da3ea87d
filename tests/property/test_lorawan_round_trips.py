"""What is written is read back; and no bytes make a parser fail otherwise than by FrameError."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.errors import CommandError, FrameError
from bittern.lorawan import crypto
from bittern.lorawan.commands import (
    DOWNLINK_COMMANDS,
    UPLINK_COMMANDS,
    MacCommand,
    pack_commands,
    parse_downlink_commands,
    parse_uplink_commands,
    read_downlink_commands,
    read_uplink_commands,
)
from bittern.lorawan.frame import (
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    JoinAccept,
    JoinRequest,
    MType,
    Proprietary,
    RejoinRequest,
    parse,
    parse_join_accept,
)
from bittern.lorawan.inspection import FrameContext, FrameKeys, inspect_frame
from bittern.lorawan.versions import MacVersion
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    FNwkSIntKey,
    NetID,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

flag = st.booleans()
uint16 = st.integers(0, 0xFFFF)
uint32 = st.integers(0, 0xFFFF_FFFF)
mic = st.binary(min_size=4, max_size=4)
eui: st.SearchStrategy[Any] = st.binary(min_size=8, max_size=8).map(EUI64)
dev_addr = st.binary(min_size=4, max_size=4).map(DevAddr)
net_id = st.binary(min_size=3, max_size=3).map(NetID)
secret = st.binary(min_size=16, max_size=16)
cf_list = st.none() | st.binary(min_size=16, max_size=16)
anything = st.binary(max_size=260)


@st.composite
def data_frames(draw: st.DrawFn) -> DataUp | DataDown:
    fport = draw(st.none() | st.integers(0, 255))
    tail: dict[str, Any] = {
        "dev_addr": draw(dev_addr),
        "adr": draw(flag),
        "ack": draw(flag),
        "fcnt16": draw(uint16),
        "fopts": b"" if fport == 0 else draw(st.binary(max_size=15)),
        "fport": fport,
        "frm_payload": b"" if fport is None else draw(st.binary(max_size=222)),
        "mic": draw(mic),
    }
    if draw(flag):
        mtype = draw(st.sampled_from((MType.UNCONFIRMED_DATA_UP, MType.CONFIRMED_DATA_UP)))
        return DataUp(mtype=mtype, adr_ack_req=draw(flag), class_b=draw(flag), **tail)
    mtype = draw(st.sampled_from((MType.UNCONFIRMED_DATA_DOWN, MType.CONFIRMED_DATA_DOWN)))
    return DataDown(mtype=mtype, fpending=draw(flag), **tail)


frames = st.one_of(
    data_frames(),
    st.builds(JoinRequest, join_eui=eui, dev_eui=eui, dev_nonce=uint16, mic=mic),
    st.builds(
        RejoinRequest,
        rejoin_type=st.sampled_from((0, 2)),
        dev_eui=eui,
        rj_count=uint16,
        net_id=net_id,
        mic=mic,
    ),
    st.builds(
        RejoinRequest, rejoin_type=st.just(1), dev_eui=eui, rj_count=uint16, join_eui=eui, mic=mic
    ),
    st.builds(
        EncryptedJoinAccept,
        st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32),
    ),
    st.builds(Proprietary, st.binary(max_size=250), mic),
)
join_accepts = st.builds(
    JoinAccept,
    join_nonce=st.integers(0, 0xFF_FFFF),
    home_net_id=net_id,
    dev_addr=dev_addr,
    opt_neg=flag,
    rx1_dr_offset=st.integers(0, 7),
    rx2_data_rate=st.integers(0, 15),
    rx_delay=st.integers(0, 15),
    cf_list=cf_list,
    mic=mic,
)


@given(frames)
def test_frame_written_is_the_frame_read(frame: Any) -> None:
    assert parse(frame.to_bytes()) == frame


@given(join_accepts, secret)
def test_join_accept_sealed_is_the_join_accept_opened(accept: JoinAccept, key: bytes) -> None:
    assert parse_join_accept(accept.to_bytes()) == accept
    frame = parse(crypto.encrypt_join_accept(AppKey(key), accept))
    assert isinstance(frame, EncryptedJoinAccept)
    assert crypto.decrypt_join_accept(AppKey(key), frame) == accept


@given(anything)
def test_any_bytes_are_a_frame_or_a_frame_error(phy_payload: bytes) -> None:
    with contextlib.suppress(FrameError):
        frame = parse(phy_payload)
        written = frame.to_bytes()
        assert len(written) == len(phy_payload)
        assert parse(written) == frame


@given(st.sampled_from(range(8)), st.binary(min_size=11, max_size=40))
def test_any_bytes_of_any_mtype_are_a_frame_or_a_frame_error(mtype: int, rest: bytes) -> None:
    with contextlib.suppress(FrameError):
        assert parse(bytes((mtype << 5,)) + rest).mhdr >> 5 == mtype


@given(anything)
def test_any_bytes_are_a_join_accept_or_a_frame_error(clear: bytes) -> None:
    with contextlib.suppress(FrameError):
        assert len(parse_join_accept(clear).to_bytes()) == len(clear)


@given(st.binary(max_size=64))
def test_any_bytes_are_commands_or_a_command_error(data: bytes) -> None:
    readers: list[tuple[Callable[[bytes], Any], Callable[[bytes], Any]]] = [
        (parse_uplink_commands, read_uplink_commands),
        (parse_downlink_commands, read_downlink_commands),
    ]
    for parse_all, read_some in readers:
        commands, problem = read_some(data)
        if problem is None:
            assert parse_all(data) == commands
            assert len(pack_commands(commands)) == len(data)
        else:
            with pytest.raises(CommandError):
                parse_all(data)
            # What was read before the problem is itself a sequence without one.
            assert read_some(pack_commands(commands)) == (commands, None)


@pytest.mark.parametrize(
    "kind", UPLINK_COMMANDS + DOWNLINK_COMMANDS, ids=lambda kind: kind.__name__
)
@given(data=st.data())
def test_command_written_is_the_command_read(kind: type[MacCommand], data: st.DataObject) -> None:
    """From any payload: reserved bits fall away at the first reading and then nothing does."""
    command = kind.unpack(data.draw(st.binary(min_size=kind.SIZE, max_size=kind.SIZE)))
    packed = command.pack()
    assert (packed[0], len(packed)) == (kind.CID, 1 + kind.SIZE)
    assert kind.unpack(packed[1:]) == command


@given(st.binary(max_size=242), dev_addr, uint32, flag, secret)
def test_encryption_is_its_own_inverse(
    payload: bytes, addr: DevAddr, fcnt: int, uplink: bool, key: bytes
) -> None:
    sent = crypto.crypt_frm_payload(AppSKey(key), payload, addr, fcnt, uplink=uplink)
    again = crypto.crypt_frm_payload(AppSKey(key), sent, addr, fcnt, uplink=uplink)
    assert again == payload
    fopts = payload[:15]
    sent = crypto.crypt_fopts(NwkSEncKey(key), fopts, addr, fcnt, uplink=uplink)
    assert crypto.crypt_fopts(NwkSEncKey(key), sent, addr, fcnt, uplink=uplink) == fopts


ALL_KEYS = FrameKeys(
    nwk_s_key=FNwkSIntKey(b"1" * 16),
    f_nwk_s_int_key=FNwkSIntKey(b"2" * 16),
    s_nwk_s_int_key=SNwkSIntKey(b"3" * 16),
    nwk_s_enc_key=NwkSEncKey(b"4" * 16),
    app_s_key=AppSKey(b"5" * 16),
    app_key=AppKey(b"6" * 16),
    nwk_key=NwkKey(b"7" * 16),
)
versions = st.sampled_from((None, MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_1))


@given(anything | frames.map(lambda frame: frame.to_bytes()), versions, flag)
def test_any_bytes_are_explained_as_json_or_are_a_frame_error(
    phy_payload: bytes, version: MacVersion | None, with_keys: bool
) -> None:
    keys = ALL_KEYS if with_keys else None
    context = FrameContext(version=version, tx_dr=0, tx_ch=0)
    with contextlib.suppress(FrameError):
        json.dumps(inspect_frame(phy_payload, keys, context))
