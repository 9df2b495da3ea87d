"""The device against a network of thirty lines that knows only the cryptography."""

from __future__ import annotations

import random

import msgspec
import pytest

from bittern.lorawan.crypto import (
    JOIN_REQUEST_TYPE,
    SessionKeys,
    crypt_fopts,
    crypt_frm_payload,
    data_down_mic,
    data_up_mic_1_0,
    data_up_mic_1_1,
    derive_js_enc_key,
    derive_js_int_key,
    derive_session_keys_1_0,
    derive_session_keys_1_1,
    encrypt_join_accept,
    join_accept_mic_1_0,
    join_accept_mic_1_1,
    join_request_mic,
    rejoin_mic,
)
from bittern.lorawan.frame import DataDown, DataUp, JoinAccept, JoinRequest, MType, parse
from bittern.lorawan.versions import MacVersion
from bittern.simulator.commands import REKEY_IND
from bittern.simulator.complaint import Complaint, DeviceComplaint
from bittern.simulator.device import (
    Abp,
    DownlinkReceived,
    Joined,
    Otaa,
    SimulatedDevice,
)
from bittern.simulator.regions import EU868, US915
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    JoinEUI,
    NetID,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001c0530"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))
APP_KEY = AppKey(bytes(range(16)))
NWK_KEY = NwkKey(bytes(range(16, 32)))
DEV_ADDR = DevAddr.from_hex("26011b2c")
NET_ID = NetID.from_hex("000013")
KEYS_1_0 = SessionKeys.of_1_0(bytes([1] * 16), bytes([2] * 16))
KEYS_1_1 = SessionKeys(
    FNwkSIntKey(bytes([1] * 16)),
    SNwkSIntKey(bytes([2] * 16)),
    NwkSEncKey(bytes([3] * 16)),
    AppSKey(bytes([4] * 16)),
)


def an_abp_device(version: MacVersion = MacVersion.LORAWAN_1_0_3, **options) -> SimulatedDevice:
    keys = KEYS_1_1 if version is MacVersion.LORAWAN_1_1 else KEYS_1_0
    return SimulatedDevice(
        dev_eui=DEV_EUI,
        activation=Abp(dev_addr=DEV_ADDR, keys=keys),
        version=version,
        region=options.pop("region", EU868),
        chance=random.Random(1),
        **options,
    )


def an_otaa_device(version: MacVersion = MacVersion.LORAWAN_1_0_3, **options) -> SimulatedDevice:
    nwk_key = NWK_KEY if version is MacVersion.LORAWAN_1_1 else None
    return SimulatedDevice(
        dev_eui=DEV_EUI,
        activation=Otaa(join_eui=JOIN_EUI, app_key=APP_KEY, nwk_key=nwk_key),
        version=version,
        region=options.pop("region", EU868),
        chance=random.Random(1),
        **options,
    )


def a_downlink(
    keys: SessionKeys = KEYS_1_0,
    fcnt: int = 0,
    *,
    dev_addr: DevAddr = DEV_ADDR,
    commands: bytes = b"",
    payload: bytes = b"",
    fport: int | None = None,
    confirmed: bool = False,
    ack: bool = False,
    conf_fcnt: int = 0,
) -> bytes:
    is_1_1 = keys.nwk_s_enc_key != keys.f_nwk_s_int_key
    key = keys.nwk_s_enc_key if fport == 0 else keys.app_s_key
    if is_1_1 and commands:
        commands = crypt_fopts(
            keys.nwk_s_enc_key,
            commands,
            dev_addr,
            fcnt,
            uplink=False,
            a_fcnt_down=fport not in (None, 0),
        )
    frame = DataDown(
        MType.CONFIRMED_DATA_DOWN if confirmed else MType.UNCONFIRMED_DATA_DOWN,
        dev_addr,
        ack=ack,
        fcnt16=fcnt & 0xFFFF,
        fopts=commands,
        fport=fport,
        frm_payload=crypt_frm_payload(key, payload, dev_addr, fcnt, uplink=False),
    )
    message = frame.to_bytes()[:-4]
    return message + data_down_mic(
        keys.s_nwk_s_int_key, message, dev_addr, fcnt, conf_fcnt=conf_fcnt
    )


def a_join_accept(device: SimulatedDevice, *, join_nonce: int = 1, **fields) -> bytes:
    fields = {"home_net_id": NET_ID, "dev_addr": DEV_ADDR, **fields}
    accept = JoinAccept(join_nonce=join_nonce, **fields)
    message = accept.to_bytes()[:-4]
    request = parse(device.sent.phy_payload)
    assert isinstance(request, JoinRequest)
    if accept.opt_neg:
        mic = join_accept_mic_1_1(
            derive_js_int_key(NWK_KEY, DEV_EUI),
            message,
            join_req_type=JOIN_REQUEST_TYPE,
            join_eui=JOIN_EUI,
            dev_nonce=request.dev_nonce,
        )
        return encrypt_join_accept(NWK_KEY, JoinAccept(join_nonce, **fields, mic=mic))
    mic = join_accept_mic_1_0(APP_KEY, message)
    return encrypt_join_accept(APP_KEY, JoinAccept(join_nonce, **fields, mic=mic))


def complaint(device: SimulatedDevice, phy_payload: bytes, **options) -> Complaint:
    with pytest.raises(DeviceComplaint) as caught:
        device.receive(phy_payload, **options)
    assert str(caught.value).startswith(f"device {DEV_EUI} complains: ")
    return caught.value.complaint


# Joining


def test_join_request_carries_the_identity_and_its_mic() -> None:
    phy = an_otaa_device().join_request()
    request = parse(phy)
    assert isinstance(request, JoinRequest)
    assert (request.dev_eui, request.join_eui) == (DEV_EUI, JOIN_EUI)
    assert request.mic == join_request_mic(APP_KEY, phy[:-4])


def test_join_request_of_1_1_is_signed_by_the_nwk_key() -> None:
    phy = an_otaa_device(MacVersion.LORAWAN_1_1).join_request()
    assert phy[-4:] == join_request_mic(NWK_KEY, phy[:-4])


def test_dev_nonce_counts_since_1_0_4_and_is_drawn_before() -> None:
    counting = an_otaa_device(MacVersion.LORAWAN_1_0_4, next_dev_nonce=7)
    assert [parse(counting.join_request()).dev_nonce for _ in range(3)] == [7, 8, 9]
    drawing = an_otaa_device(MacVersion.LORAWAN_1_0_2)
    drawn = [parse(drawing.join_request()).dev_nonce for _ in range(3)]
    assert drawn != sorted(drawn) or drawn[0] > 2


def test_join_accept_gives_the_session_that_both_sides_derive() -> None:
    device = an_otaa_device()
    dev_nonce = parse(device.join_request()).dev_nonce
    assert device.receive(a_join_accept(device, join_nonce=5)) == Joined(DEV_ADDR, NET_ID, 5)
    keys = derive_session_keys_1_0(APP_KEY, join_nonce=5, net_id=NET_ID, dev_nonce=dev_nonce)
    phy = device.uplink(b"hello", 3)
    frame = parse(phy)
    assert isinstance(frame, DataUp)
    assert frame.mic == data_up_mic_1_0(keys.f_nwk_s_int_key, phy[:-4], DEV_ADDR, 0)
    clear = crypt_frm_payload(keys.app_s_key, frame.frm_payload, DEV_ADDR, 0, uplink=True)
    assert clear == b"hello"


def test_join_accept_settings_and_channels_are_obeyed() -> None:
    device = an_otaa_device()
    device.join_request()
    cf_list = b"".join(
        (frequency // 100).to_bytes(3, "little")
        for frequency in (867_100_000, 867_300_000, 867_500_000, 0, 867_900_000)
    )
    device.receive(
        a_join_accept(
            device, rx1_dr_offset=2, rx2_data_rate=3, rx_delay=4, cf_list=cf_list + b"\x00"
        )
    )
    assert sorted(device.radio.enabled) == [0, 1, 2, 3, 4, 5, 7]
    assert device.radio.channels[7].frequency_hz == 867_900_000
    device.uplink(b"", 1)
    rx1, rx2 = device.windows()
    assert (rx1.delay_s, rx1.data_rate, rx1.frequency_hz) == (4, 3, device.sent.frequency_hz)
    assert (rx2.delay_s, rx2.data_rate, rx2.frequency_hz) == (5, 3, 869_525_000)


def test_join_accept_of_1_1_derives_four_keys_and_indicates_until_confirmed() -> None:
    device = an_otaa_device(MacVersion.LORAWAN_1_1)
    dev_nonce = parse(device.join_request()).dev_nonce
    device.receive(a_join_accept(device, join_nonce=2, opt_neg=True))
    keys = derive_session_keys_1_1(
        NWK_KEY, APP_KEY, join_nonce=2, join_eui=JOIN_EUI, dev_nonce=dev_nonce
    )
    assert device.session is not None
    assert device.session.keys == keys
    for fcnt in range(2):
        frame = parse(device.uplink(b"x", 1))
        fopts = crypt_fopts(keys.nwk_s_enc_key, frame.fopts, DEV_ADDR, fcnt, uplink=True)
        assert fopts == b"\x0b\x01"
    message = DataDown(
        MType.UNCONFIRMED_DATA_DOWN,
        DEV_ADDR,
        fopts=crypt_fopts(keys.nwk_s_enc_key, b"\x0b\x01", DEV_ADDR, 0, uplink=False),
    ).to_bytes()[:-4]
    device.receive(message + data_down_mic(keys.s_nwk_s_int_key, message, DEV_ADDR, 0))
    assert parse(device.uplink(b"x", 1)).fopts == b""


def test_1_1_device_falls_back_in_a_1_0_network() -> None:
    device = an_otaa_device(MacVersion.LORAWAN_1_1)
    dev_nonce = parse(device.join_request()).dev_nonce
    accept = JoinAccept(1, NET_ID, DEV_ADDR)
    message = accept.to_bytes()[:-4]
    accept = JoinAccept(1, NET_ID, DEV_ADDR, mic=join_accept_mic_1_0(NWK_KEY, message))
    device.receive(encrypt_join_accept(NWK_KEY, accept))
    phy = device.uplink(b"x", 1)
    keys = derive_session_keys_1_0(NWK_KEY, join_nonce=1, net_id=NET_ID, dev_nonce=dev_nonce)
    assert parse(phy).fopts == b""
    assert phy[-4:] == data_up_mic_1_0(keys.f_nwk_s_int_key, phy[:-4], DEV_ADDR, 0)


def test_join_accept_signed_otherwise_is_complained_about() -> None:
    device = an_otaa_device()
    device.join_request()
    good = a_join_accept(device)
    assert complaint(device, good[:-1] + bytes([good[-1] ^ 1])) is Complaint.WRONG_MIC


def test_join_accept_nobody_asked_for_is_complained_about() -> None:
    device = an_otaa_device()
    device.join_request()
    accept = a_join_accept(device)
    device.receive(accept)
    assert complaint(device, accept) is Complaint.UNASKED_JOIN_ACCEPT


def test_join_nonce_must_grow() -> None:
    device = an_otaa_device(MacVersion.LORAWAN_1_0_4)
    device.join_request()
    device.receive(a_join_accept(device, join_nonce=9))
    device.join_request()
    wrong = complaint(device, a_join_accept(device, join_nonce=8))
    assert wrong is Complaint.JOIN_NONCE_REUSED


def test_opt_neg_towards_a_1_0_device_is_complained_about() -> None:
    device = an_otaa_device()
    device.join_request()
    message = JoinAccept(1, NET_ID, DEV_ADDR, opt_neg=True).to_bytes()[:-4]
    mic = join_accept_mic_1_0(APP_KEY, message)
    accept = encrypt_join_accept(APP_KEY, JoinAccept(1, NET_ID, DEV_ADDR, opt_neg=True, mic=mic))
    assert complaint(device, accept) is Complaint.WRONG_OPT_NEG


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"dev_addr": DevAddr.from_hex("48000001")}, Complaint.DEV_ADDR_OUTSIDE_NET_ID),
        ({"rx1_dr_offset": 6}, Complaint.IMPOSSIBLE_PARAMETER),
        ({"rx2_data_rate": 15}, Complaint.IMPOSSIBLE_PARAMETER),
        ({"cf_list": bytes(15) + b"\x01"}, Complaint.IMPOSSIBLE_PARAMETER),
        ({"cf_list": b"\x01\x00\x00" + bytes(13)}, Complaint.IMPOSSIBLE_PARAMETER),
    ],
)
def test_impossible_join_accept_is_complained_about(fields, expected) -> None:
    device = an_otaa_device()
    device.join_request()
    assert complaint(device, a_join_accept(device, **fields)) is expected
    assert device.session is None


def test_join_windows_are_five_and_six_seconds_at_the_defaults() -> None:
    device = an_otaa_device(data_rate=2)
    device.join_request()
    rx1, rx2 = device.windows()
    assert (rx1.delay_s, rx1.frequency_hz, rx1.data_rate) == (5, device.sent.frequency_hz, 2)
    assert (rx2.delay_s, rx2.frequency_hz, rx2.data_rate) == (6, 869_525_000, 0)


def test_us915_joins_by_turns_on_narrow_and_wide_channels() -> None:
    device = an_otaa_device(region=US915, sub_bands=(2,))
    sent = []
    for _ in range(4):
        device.join_request()
        sent.append((device.sent.channel, device.sent.data_rate))
    assert [data_rate for _, data_rate in sent] == [0, 4, 0, 4]
    assert all(channel == 65 or 8 <= channel <= 15 for channel, _ in sent)


# Data up


def test_uplinks_count_and_acknowledge() -> None:
    device = an_abp_device()
    device.receive(a_downlink(confirmed=True))
    first, second = parse(device.uplink(b"a", 1)), parse(device.uplink(b"b", 1, confirmed=True))
    assert (first.fcnt16, first.ack, first.confirmed) == (0, True, False)
    assert (second.fcnt16, second.ack, second.confirmed) == (1, False, True)


def test_counter_goes_on_beyond_16_bits() -> None:
    device = an_abp_device()
    device.session.fcnt_up = 0x1FFFF
    phy = device.uplink(b"a", 1)
    assert parse(phy).fcnt16 == 0xFFFF
    assert phy[-4:] == data_up_mic_1_0(KEYS_1_0.f_nwk_s_int_key, phy[:-4], DEV_ADDR, 0x1FFFF)
    assert parse(device.uplink(b"a", 1)).fcnt16 == 0


def test_mic_of_1_1_covers_channel_data_rate_and_acknowledged_counter() -> None:
    device = an_abp_device(MacVersion.LORAWAN_1_1, data_rate=3)
    device.receive(a_downlink(KEYS_1_1, fcnt=6, confirmed=True, fport=1, payload=b"p"))
    phy = device.uplink(b"a", 1)
    assert phy[-4:] == data_up_mic_1_1(
        KEYS_1_1.f_nwk_s_int_key,
        KEYS_1_1.s_nwk_s_int_key,
        phy[:-4],
        DEV_ADDR,
        0,
        conf_fcnt=6,
        tx_dr=3,
        tx_ch=device.sent.channel,
    )


def test_abp_device_of_1_1_indicates_its_reset() -> None:
    device = an_abp_device(MacVersion.LORAWAN_1_1)
    frame = parse(device.uplink(b"a", 1))
    clear = crypt_fopts(KEYS_1_1.nwk_s_enc_key, frame.fopts, DEV_ADDR, 0, uplink=True)
    assert clear == b"\x01\x01"


def test_retransmission_is_the_same_frame() -> None:
    device = an_abp_device()
    first = device.uplink(b"a", 1, confirmed=True)
    assert device.retransmit() == first
    assert parse(device.uplink(b"b", 1)).fcnt16 == 1


def test_payload_too_long_for_the_data_rate_is_refused() -> None:
    device = an_abp_device(data_rate=0)
    assert len(device.uplink(bytes(51), 1)) == 64
    with pytest.raises(ValueError, match="too long for data rate 0"):
        device.uplink(bytes(52), 1)


def test_device_that_has_not_joined_cannot_send() -> None:
    with pytest.raises(ValueError, match="not joined"):
        an_otaa_device().uplink(b"a", 1)


def test_abp_device_cannot_join() -> None:
    with pytest.raises(ValueError, match="does not join"):
        an_abp_device().join_request()


def test_adr_is_asked_for_after_the_limit_and_steps_down_after_the_delay() -> None:
    device = an_abp_device(adr=True)
    asked = [parse(device.uplink(b"", 1)).adr_ack_req for _ in range(96)]
    assert asked == [False] * 64 + [True] * 32
    assert device.radio.data_rate == 5
    device.uplink(b"", 1)
    assert device.radio.data_rate == 4
    device.receive(a_downlink())
    assert not parse(device.uplink(b"", 1)).adr_ack_req


def test_full_power_comes_before_a_slower_data_rate() -> None:
    device = an_abp_device(adr=True)
    device.desk.adr_ack_limit, device.desk.adr_ack_delay = 2, 1
    device.radio.tx_power, device.radio.nb_trans, device.radio.data_rate = 3, 2, 1
    device.radio.enabled = {0}
    seen = []
    for _ in range(7):
        device.uplink(b"", 1)
        radio = device.radio
        seen.append((radio.tx_power, radio.data_rate, radio.nb_trans, sorted(radio.enabled)))
    assert seen[2:6] == [
        (3, 1, 2, [0]),
        (0, 1, 2, [0]),
        (0, 0, 2, [0]),
        (0, 0, 1, [0, 1, 2]),
    ]


def a_joined_device() -> SimulatedDevice:
    """Of LoRaWAN 1.1, and its RekeyInd confirmed."""
    device = an_otaa_device(MacVersion.LORAWAN_1_1)
    device.join_request()
    device.receive(a_join_accept(device, opt_neg=True))
    device.desk.indication = b""
    return device


def a_rejoin_accept(*, rejoin_type: int, rj_count: int) -> bytes:
    accept = JoinAccept(join_nonce=2, home_net_id=NET_ID, dev_addr=DEV_ADDR, opt_neg=True)
    mic = join_accept_mic_1_1(
        derive_js_int_key(NWK_KEY, DEV_EUI),
        accept.to_bytes()[:-4],
        join_req_type=rejoin_type,
        join_eui=JOIN_EUI,
        dev_nonce=rj_count,
    )
    key = derive_js_enc_key(NWK_KEY, DEV_EUI)
    return encrypt_join_accept(key, msgspec.structs.replace(accept, mic=mic))


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
def test_rejoin_request_is_sealed_by_the_right_key(rejoin_type: int) -> None:
    device = a_joined_device()
    key = device.session.keys.s_nwk_s_int_key
    for count in range(2):
        phy_payload = device.rejoin_request(rejoin_type)
        request = parse(phy_payload)
        assert (request.rejoin_type, request.rj_count) == (rejoin_type, count)
        if rejoin_type == 1:
            key = derive_js_int_key(NWK_KEY, device.dev_eui)
            assert (request.join_eui, request.net_id) == (JOIN_EUI, None)
        else:
            assert (request.join_eui, request.net_id) == (None, NET_ID)
        assert request.mic == rejoin_mic(key, phy_payload[:-4])
    assert device.windows()[0].delay_s == 5


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
def test_rejoin_is_answered_by_a_join_accept_of_its_type(rejoin_type: int) -> None:
    device = a_joined_device()
    device.radio.tx_power, device.radio.rx1_delay_s = 4, 7
    device.rejoin_request(rejoin_type)
    wrong = a_rejoin_accept(rejoin_type=(rejoin_type + 1) % 3, rj_count=0)
    assert complaint(device, wrong) is Complaint.WRONG_MIC
    joined = device.receive(a_rejoin_accept(rejoin_type=rejoin_type, rj_count=0))
    assert isinstance(joined, Joined)
    assert device.desk.indication == REKEY_IND
    kept = (device.radio.tx_power, device.radio.rx1_delay_s)
    assert kept == ((4, 7) if rejoin_type == 2 else (0, 1))
    assert device.session.fcnt_up == 0


def test_session_goes_on_until_the_rejoin_is_answered() -> None:
    device = a_joined_device()
    before = device.session
    device.uplink(b"", 1)
    device.rejoin_request(0)
    device.uplink(b"", 1)
    assert device.session is before
    assert before.fcnt_up == 2
    late = a_rejoin_accept(rejoin_type=0, rj_count=0)
    assert complaint(device, late) is Complaint.UNASKED_JOIN_ACCEPT


def test_rj_count0_begins_anew_with_a_session_and_rj_count1_does_not() -> None:
    device = a_joined_device()
    device.rejoin_request(1)
    device.rejoin_request(0)
    assert device.rj_count0 == 1
    device.receive(a_rejoin_accept(rejoin_type=0, rj_count=0))
    assert device.rj_count0 == 0
    assert parse(device.rejoin_request(1)).rj_count == 1


def test_exhausted_rj_count_is_not_used_again() -> None:
    device = a_joined_device()
    device._rj_count0 = 0x10000
    with pytest.raises(ValueError, match="exhausted"):
        device.rejoin_request(2)


def test_rejoin_belongs_to_1_1() -> None:
    with pytest.raises(ValueError, match="without LoRaWAN"):
        an_abp_device().rejoin_request(0)


def test_class_that_the_network_confirms_is_the_devices() -> None:
    device = a_joined_device()
    device.desk.indicate_class("C")
    first, second = (parse(device.uplink(b"", 1)).fopts for _ in range(2))
    assert len(first) == len(second) == 2
    device.receive(a_downlink(device.session.keys, commands=b"\x20\x02", dev_addr=DEV_ADDR))
    assert device.device_class == "C"
    assert parse(device.uplink(b"", 1)).fopts == b""


def test_class_changes_as_it_is_indicated() -> None:
    device = a_joined_device()
    device.desk.indicate_class("C")
    assert device.device_class == "A"
    device.uplink(b"", 1)
    assert device.device_class == "C"


def test_class_b_begins_with_confirmed_slots_and_ends_with_the_beacon() -> None:
    device = an_abp_device()
    with pytest.raises(ValueError, match="ping slots"):
        device.find_beacon()
    device.desk.tell_ping_slots(3)
    device.uplink(b"", 1)
    device.receive(a_downlink(commands=b"\x10"))
    device.find_beacon()
    assert parse(device.uplink(b"", 1)).class_b
    device.lose_beacon()
    assert not parse(device.uplink(b"", 1)).class_b


def test_device_leaves_an_announced_class_c_before_it_looks_for_beacons() -> None:
    device = a_joined_device()
    device.desk.told_periodicity = device.desk.ping_slot_periodicity = 3
    device.desk.indicate_class("C")
    with pytest.raises(ValueError, match="class C"):
        device.find_beacon()
    device.uplink(b"", 1)
    device.receive(a_downlink(device.session.keys, commands=b"\x20\x02", dev_addr=DEV_ADDR))
    with pytest.raises(ValueError, match="class C"):
        device.find_beacon()


def test_device_that_joins_joins_anew_after_a_restart() -> None:
    device = a_joined_device()
    device.desk.indicate_class("C")
    device.uplink(b"", 1)
    device.restart()
    assert (device.session, device.device_class) == (None, "A")
    assert parse(device.join_request()).dev_nonce == 1


def test_personalized_device_of_1_1_says_that_it_has_restarted() -> None:
    device = SimulatedDevice(
        dev_eui=DEV_EUI,
        activation=Abp(dev_addr=DEV_ADDR, keys=KEYS_1_0),
        version=MacVersion.LORAWAN_1_1,
        region=EU868,
        chance=random.Random(1),
    )
    device.uplink(b"", 1)
    device.desk.indication = b""
    device.radio.rx1_delay_s = 7
    device.restart()
    assert device.radio.rx1_delay_s == 1
    frame = parse(device.uplink(b"", 1))
    keys = KEYS_1_0
    assert frame.fcnt16 == 1
    assert crypt_fopts(keys.nwk_s_enc_key, frame.fopts, DEV_ADDR, 1, uplink=True) == b"\x01\x01"


def test_other_personalized_devices_have_to_remember() -> None:
    device = an_abp_device()
    with pytest.raises(ValueError, match="tells of the restart"):
        device.restart()
    device.uplink(b"", 1)
    device.radio.rx1_delay_s = 7
    device.restart(remembers=True)
    assert (device.session.fcnt_up, device.radio.rx1_delay_s) == (1, 7)
    with pytest.raises(ValueError, match="no data frame"):
        device.retransmit()


def test_class_b_shows_in_every_uplink() -> None:
    device = an_abp_device(device_class="B")
    assert parse(device.uplink(b"", 1)).class_b


def test_long_answers_without_payload_go_to_port_0() -> None:
    device = an_abp_device()
    device.receive(a_downlink(fport=0, payload=b"\x06" * 6))
    frame = parse(device.uplink())
    clear = crypt_frm_payload(KEYS_1_0.nwk_s_enc_key, frame.frm_payload, DEV_ADDR, 0, uplink=True)
    assert (frame.fport, frame.fopts, clear) == (0, b"", b"\x06\xff\x0a" * 6)


# Data down


def test_downlink_is_opened() -> None:
    device = an_abp_device()
    device.uplink(b"a", 1, confirmed=True)
    received = device.receive(a_downlink(fcnt=3, payload=b"turn on", fport=9, ack=True))
    assert received == DownlinkReceived(
        fcnt=3,
        fport=9,
        payload=b"turn on",
        confirmed=False,
        ack=True,
        fpending=False,
        commands=(),
    )


def test_downlink_counters_of_1_1_are_two() -> None:
    device = an_abp_device(MacVersion.LORAWAN_1_1)
    device.receive(a_downlink(KEYS_1_1, fcnt=4, payload=b"a", fport=1))
    received = device.receive(a_downlink(KEYS_1_1, fcnt=0, commands=b"\x06"))
    assert isinstance(received, DownlinkReceived)
    assert received.fcnt == 0
    repeated = complaint(device, a_downlink(KEYS_1_1, fcnt=4, payload=b"a", fport=1))
    assert repeated is Complaint.COUNTER_WENT_BACK


def test_commands_of_1_1_beside_a_payload_use_the_application_counter() -> None:
    device = an_abp_device(MacVersion.LORAWAN_1_1)
    received = device.receive(a_downlink(KEYS_1_1, fcnt=4, payload=b"a", fport=1, commands=b"\x06"))
    assert isinstance(received, DownlinkReceived)
    assert [command.cid for command in received.commands] == [6]


def test_acknowledgement_of_1_1_covers_the_uplinks_counter() -> None:
    device = an_abp_device(MacVersion.LORAWAN_1_1)
    device.session.fcnt_up = 70_000
    device.uplink(b"a", 1, confirmed=True)
    wrong = a_downlink(KEYS_1_1, ack=True, conf_fcnt=0)
    assert complaint(device, wrong) is Complaint.WRONG_CONF_FCNT
    received = device.receive(a_downlink(KEYS_1_1, ack=True, conf_fcnt=70_000))
    assert isinstance(received, DownlinkReceived)
    assert received.ack


def test_downlink_counter_rolls_over() -> None:
    device = an_abp_device()
    device.session.nfcnt_down = 0xFFFF
    received = device.receive(a_downlink(fcnt=0x10000))
    assert isinstance(received, DownlinkReceived)
    assert received.fcnt == 0x10000


@pytest.mark.parametrize(
    ("phy_payload", "expected"),
    [
        (a_downlink(fcnt=9), Complaint.COUNTER_WENT_BACK),
        (a_downlink(fcnt=2), Complaint.COUNTER_WENT_BACK),
        (a_downlink(fcnt=9 + 16_385), Complaint.COUNTER_GAP),
        (a_downlink(KEYS_1_1, fcnt=10), Complaint.WRONG_MIC),
        (a_downlink(fcnt=10, dev_addr=DevAddr(bytes(4))), Complaint.WRONG_DEV_ADDR),
        (a_downlink(fcnt=10, ack=True), Complaint.UNASKED_ACK),
        (a_downlink(fcnt=10, commands=b"\x7f"), Complaint.UNKNOWN_COMMAND),
        (a_downlink(fcnt=10, commands=b"\x0c\x00"), Complaint.UNKNOWN_COMMAND),
        (a_downlink(fcnt=10, commands=b"\x03\x00"), Complaint.MALFORMED),
        (a_downlink(fcnt=10, commands=b"\x02\x14\x01"), Complaint.UNASKED_ANSWER),
        (a_downlink(fcnt=10, commands=b"\x09\x00"), Complaint.COMMAND_OF_ANOTHER_REGION),
        (b"\x60\x00", Complaint.MALFORMED),
        (b"\x40" + bytes(11), Complaint.NOT_FOR_A_DEVICE),
    ],
)
def test_wrong_downlink_is_named(phy_payload: bytes, expected: Complaint) -> None:
    device = an_abp_device()
    device.receive(a_downlink(fcnt=9))
    assert complaint(device, phy_payload) is expected


def test_downlink_before_the_join_is_complained_about() -> None:
    assert complaint(an_otaa_device(), a_downlink()) is Complaint.NOT_JOINED


def test_downlink_too_long_for_its_window_is_complained_about() -> None:
    device = an_abp_device()
    device.uplink(b"", 1)
    _, rx2 = device.windows()
    too_long = a_downlink(payload=bytes(52), fport=1)
    assert complaint(device, too_long, window=rx2) is Complaint.TOO_LONG
    device.receive(a_downlink(payload=bytes(51), fport=1), window=rx2)


def test_windows_need_an_uplink() -> None:
    with pytest.raises(ValueError, match="no window is open"):
        an_abp_device().windows()


def test_us915_listens_where_rp002_says() -> None:
    device = an_abp_device(region=US915, sub_bands=(2,), data_rate=2)
    device.uplink(b"", 1)
    rx1, rx2 = device.windows()
    assert rx1.frequency_hz == 923_300_000 + 600_000 * (device.sent.channel % 8)
    assert (rx1.data_rate, rx2.data_rate, rx2.frequency_hz) == (12, 8, 923_300_000)


def test_question_of_the_device_is_answered() -> None:
    device = an_abp_device()
    device.desk.ask_link_check()
    assert parse(device.uplink(b"", 1)).fopts == b"\x02"
    device.receive(a_downlink(commands=b"\x02\x14\x03"))
    assert device.desk.link_check == (20, 3)


def test_repr_shows_no_key() -> None:
    assert repr(an_otaa_device()) == "SimulatedDevice(0004a30b001c0530, LoRaWAN 1.0.3, EU868)"
