from __future__ import annotations

from dataclasses import dataclass

import pytest

from bittern.lorawan.crypto import (
    JOIN_REQUEST_TYPE,
    decrypt_join_accept,
    derive_js_int_key,
    derive_session_keys_1_0,
    derive_session_keys_1_1,
    join_accept_mic_1_0,
    join_accept_mic_1_1,
    join_request_mic,
)
from bittern.lorawan.frame import EncryptedJoinAccept, JoinAccept, JoinRequest, parse
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.join import Agreed, JoinGranted, answer, answer_as_join_server
from bittern.mac.join_accept import Offer, Terms
from bittern.mac.refused import Refused
from bittern.mac.session import NO_FCNT, ChannelState, JoinState
from bittern.types import (
    EUI64,
    AppKey,
    DevAddr,
    DevEUI,
    Instant,
    JoinEUI,
    NetID,
    NwkKey,
    Refusal,
)

NOW = Instant(1_700_000_000.0)
NET_ID = NetID.from_hex("000013")
DEV_ADDR = DevAddr.from_hex("2601abcd")
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))
OTHER_JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000002"))
DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001b7ad2"))
APP_KEY = AppKey.from_hex("000102030405060708090a0b0c0d0e0f")
NWK_KEY = NwkKey.from_hex("101112131415161718191a1b1c1d1e1f")
V1_0_3, V1_0_4, V1_1 = (
    MacVersion.LORAWAN_1_0_3,
    MacVersion.LORAWAN_1_0_4,
    MacVersion.LORAWAN_1_1,
)


@dataclass
class Credentials:
    join_eui: JoinEUI = JOIN_EUI
    app_key: AppKey = APP_KEY
    nwk_key: NwkKey | None = None


OF_1_0 = Credentials()
OF_1_1 = Credentials(nwk_key=NWK_KEY)


def request(
    dev_nonce: int = 1, key: AppKey | NwkKey = APP_KEY, join_eui: JoinEUI = JOIN_EUI
) -> bytes:
    msg = JoinRequest(join_eui, DEV_EUI, dev_nonce).to_bytes()[:-4]
    return msg + join_request_mic(key, msg)


@pytest.fixture
def join(make_profile):
    def join(
        phy_payload: bytes,
        state: JoinState | None = None,
        *,
        version: MacVersion = V1_0_3,
        credentials: Credentials = OF_1_0,
        region: str = "EU868",
        sub_bands: tuple[int, ...] = (),
        **profile: object,
    ) -> JoinGranted | Refused:
        frame = parse(phy_payload)
        assert isinstance(frame, JoinRequest)
        return answer(
            frame,
            phy_payload,
            credentials=credentials,
            state=state,
            terms=Terms(
                profile=make_profile(mac_version=version, **profile),
                plan=plan(region),
                net_id=NET_ID,
                dev_addr=DEV_ADDR,
                now=NOW,
                sub_bands=sub_bands,
            ),
        )

    return join


def opened(granted: object, key: AppKey | NwkKey = APP_KEY) -> JoinAccept:
    """As the device reads it."""
    assert isinstance(granted, JoinGranted), granted
    frame = parse(granted.phy_payload)
    assert isinstance(frame, EncryptedJoinAccept)
    return decrypt_join_accept(key, frame)


def refusal(outcome: object) -> Refusal:
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal


def state(**fields: object) -> JoinState:
    return JoinState(dev_eui=DEV_EUI, join_eui=JOIN_EUI, **fields)


# Granted


def test_a_device_of_1_0_can_read_its_join_accept(join):
    granted = join(request(dev_nonce=0x1234))
    accept = opened(granted)
    assert accept.mic == join_accept_mic_1_0(APP_KEY, accept.to_bytes()[:-4])
    assert (accept.join_nonce, accept.home_net_id, accept.dev_addr) == (1, NET_ID, DEV_ADDR)
    assert not accept.opt_neg


def test_device_and_network_of_1_0_derive_the_same_keys(join):
    granted = join(request(dev_nonce=0x1234))
    accept = opened(granted)
    assert granted.session.keys == derive_session_keys_1_0(
        APP_KEY, join_nonce=accept.join_nonce, net_id=accept.home_net_id, dev_nonce=0x1234
    )


def test_a_device_of_1_1_can_read_its_join_accept(join):
    granted = join(request(7, NWK_KEY), version=V1_1, credentials=OF_1_1)
    accept = opened(granted, NWK_KEY)
    assert accept.opt_neg
    assert accept.mic == join_accept_mic_1_1(
        derive_js_int_key(NWK_KEY, DEV_EUI),
        accept.to_bytes()[:-4],
        join_req_type=JOIN_REQUEST_TYPE,
        join_eui=JOIN_EUI,
        dev_nonce=7,
    )
    assert granted.session.keys == derive_session_keys_1_1(
        NWK_KEY, APP_KEY, join_nonce=accept.join_nonce, join_eui=JOIN_EUI, dev_nonce=7
    )


def test_a_device_with_a_nwk_key_joins_as_1_0_by_that_key(join):
    # LoRaWAN 1.1, 6.1.1.3: towards a 1.0 network the NwkKey is what the AppKey was.
    granted = join(request(7, NWK_KEY), version=V1_0_3, credentials=OF_1_1)
    accept = opened(granted, NWK_KEY)
    assert not accept.opt_neg
    assert accept.mic == join_accept_mic_1_0(NWK_KEY, accept.to_bytes()[:-4])


def test_the_new_session_is_pending_and_unused(join):
    session = join(request(), version=V1_0_4, supports_32bit_fcnt=False).session
    assert (session.pending, session.generation, session.revision) == (True, 1, 0)
    assert (session.dev_eui, session.dev_addr, session.region) == (DEV_EUI, DEV_ADDR, "EU868")
    assert (session.fcnt_up, session.nfcnt_down, session.afcnt_down) == (NO_FCNT, 0, 0)
    assert session.mac_version is V1_0_4
    assert session.activated_at == NOW
    assert not session.counts_32_bits


def test_the_network_believes_what_the_join_accept_told(join):
    granted = join(request(), rx1_delay_s=5, rx1_dr_offset=2, rx2_data_rate=3)
    accept, radio = opened(granted), granted.session.radio
    assert (accept.rx_delay, accept.rx1_dr_offset, accept.rx2_data_rate) == (5, 2, 3)
    assert (radio.rx1_delay_s, radio.rx1_dr_offset, radio.rx2_data_rate) == (5, 2, 3)


def test_a_join_accept_cannot_move_rx2_to_the_frequency_of_the_profile(join):
    radio = join(request(), rx2_frequency_hz=868_300_000).session.radio
    assert radio.rx2_frequency_hz == 869_525_000


def test_a_delay_of_0_is_1_second(join):
    granted = join(request(), rx1_delay_s=0)
    assert opened(granted).rx_delay == granted.session.radio.rx1_delay_s == 1


def test_the_channel_list_of_eu868_names_five_frequencies(join):
    granted = join(request())
    # 867.1, 867.3, 867.5, 867.7, 867.9 MHz in 100 Hz, least significant byte first; type 0.
    expected = bytes.fromhex("184f84e85684b85e84886684586e8400")
    assert opened(granted).cf_list == expected
    assert granted.session.radio.extra_channels[0] == ChannelState(3, 867_100_000, 0, 5)
    assert [channel.index for channel in granted.session.radio.extra_channels] == [3, 4, 5, 6, 7]


def test_the_channel_list_of_us915_masks_the_sub_band(join):
    granted = join(request(), region="US915", sub_bands=(2,))
    # Channels 8..15 and 65; type 1.
    assert opened(granted).cf_list == bytes.fromhex("00ff0000000000000200000000000001")
    assert granted.session.radio.extra_channels == ()


def test_a_device_before_1_0_3_gets_no_channel_mask(join):
    granted = join(request(), region="US915", sub_bands=(2,), version=MacVersion.LORAWAN_1_0_2)
    assert opened(granted).cf_list is None
    assert len(granted.phy_payload) == 17


# Nonces


def test_the_first_join_makes_a_state(join):
    granted = join(request(dev_nonce=9))
    assert granted.before is None
    assert granted.after == state(
        next_join_nonce=2, last_dev_nonce=9, used_dev_nonces=frozenset((9,))
    )


def test_a_join_nonce_is_never_used_twice(join):
    seen, last = [], None
    for dev_nonce in range(5):
        granted = join(request(dev_nonce), last)
        seen.append(opened(granted).join_nonce)
        assert granted.before is last
        last = granted.after
    assert seen == [1, 2, 3, 4, 5]
    assert last.revision == 4


def test_used_up_join_nonces_are_refused(join):
    last = join(request(2), state(next_join_nonce=(1 << 24) - 1))
    assert opened(last).join_nonce == (1 << 24) - 1
    assert refusal(join(request(3), last.after)) is Refusal.JOIN_NONCE_EXHAUSTED


@pytest.mark.parametrize("dev_nonce", [3, 8, 9])
def test_a_random_dev_nonce_is_taken_once_in_any_order(join, dev_nonce):
    used = state(last_dev_nonce=8, used_dev_nonces=frozenset((3, 8, 9)))
    assert refusal(join(request(dev_nonce), used)) is Refusal.DEV_NONCE_REPLAYED
    granted = join(request(5), used)
    assert granted.after.used_dev_nonces == {3, 5, 8, 9}


@pytest.mark.parametrize("version", [V1_0_4, V1_1])
@pytest.mark.parametrize(("dev_nonce", "good"), [(7, False), (8, False), (9, True)])
def test_a_counted_dev_nonce_has_to_rise(join, version, dev_nonce, good):
    credentials, key = (OF_1_1, NWK_KEY) if version is V1_1 else (OF_1_0, APP_KEY)
    outcome = join(
        request(dev_nonce, key),
        state(last_dev_nonce=8),
        version=version,
        credentials=credentials,
    )
    if good:
        assert outcome.after.last_dev_nonce == 9
        assert outcome.after.used_dev_nonces == frozenset()
    else:
        assert refusal(outcome) is Refusal.DEV_NONCE_REPLAYED


def test_a_counted_dev_nonce_begins_at_0(join):
    assert isinstance(join(request(0), version=V1_0_4), JoinGranted)


def test_a_new_join_eui_begins_with_new_dev_nonces_but_no_old_join_nonce(join):
    before = state(next_join_nonce=40, last_dev_nonce=8, used_dev_nonces=frozenset((8,)))
    granted = join(
        request(8, join_eui=OTHER_JOIN_EUI), before, credentials=Credentials(OTHER_JOIN_EUI)
    )
    assert opened(granted).join_nonce == 40
    assert granted.after.join_eui == OTHER_JOIN_EUI
    assert granted.after.used_dev_nonces == {8}


@pytest.mark.parametrize("version", [V1_0_3, V1_0_4, V1_1])
def test_a_join_eui_that_the_device_had_before_is_not_forgotten(join, version):
    """A recording of its first joins must not open the door when it comes back to that JoinEUI."""
    nwk_key, key = (NWK_KEY, NWK_KEY) if version is V1_1 else (None, APP_KEY)

    def under(join_eui, dev_nonce, last):
        return join(
            request(dev_nonce, key, join_eui),
            last,
            version=version,
            credentials=Credentials(join_eui, nwk_key=nwk_key),
        )

    last = under(JOIN_EUI, 7, None).after
    last = under(JOIN_EUI, 8, last).after
    last = under(OTHER_JOIN_EUI, 7, last).after
    for dev_nonce in (7, 8):
        assert refusal(under(JOIN_EUI, dev_nonce, last)) is Refusal.DEV_NONCE_REPLAYED
    last = under(JOIN_EUI, 9, last).after
    assert (last.join_eui, last.last_dev_nonce, last.next_join_nonce) == (JOIN_EUI, 9, 5)
    assert refusal(under(OTHER_JOIN_EUI, 7, last)) is Refusal.DEV_NONCE_REPLAYED
    assert [one.join_eui for one in last.earlier] == [OTHER_JOIN_EUI]


def test_a_refused_join_under_another_join_eui_forgets_nothing(join):
    before = state(next_join_nonce=3, used_dev_nonces=frozenset((7, 8)))
    outcome = join(request(9, NWK_KEY, OTHER_JOIN_EUI), before)
    assert refusal(outcome) is Refusal.MIC_MISMATCH
    assert refusal(join(request(7), before)) is Refusal.DEV_NONCE_REPLAYED


# Refused


@pytest.mark.parametrize("at", range(-4, 0))
def test_each_byte_of_the_mic_counts(join, at):
    broken = bytearray(request())
    broken[at] ^= 1
    assert refusal(join(bytes(broken))) is Refusal.MIC_MISMATCH


def test_a_join_eui_that_is_not_the_registered_one_is_refused(join):
    outcome = join(request(join_eui=OTHER_JOIN_EUI))
    assert refusal(outcome) is Refusal.JOIN_EUI_MISMATCH
    assert outcome.reason == "JoinEUI 70b3d57ed0000002 is not 70b3d57ed0000001"
    assert outcome.dev_eui == DEV_EUI


def test_a_wrong_key_comes_before_a_wrong_join_eui(join):
    outcome = join(request(key=NWK_KEY, join_eui=OTHER_JOIN_EUI))
    assert refusal(outcome) is Refusal.MIC_MISMATCH
    assert "JoinEUI" in outcome.reason


def test_a_wrong_key_comes_before_a_replayed_nonce(join):
    outcome = join(request(3, NWK_KEY), state(used_dev_nonces=frozenset((3,))))
    assert refusal(outcome) is Refusal.MIC_MISMATCH


def test_a_1_1_device_without_a_nwk_key_cannot_join(join):
    outcome = join(request(), version=V1_1)
    assert refusal(outcome) is Refusal.JOIN_NOT_SUPPORTED
    assert "NwkKey" in outcome.reason


def test_no_reason_tells_a_key(join):
    outcomes = [join(request(key=NWK_KEY)), join(request(join_eui=OTHER_JOIN_EUI))]
    for outcome in outcomes:
        assert APP_KEY.reveal().hex() not in repr(outcome)


# The join server's half


def as_join_server(phy_payload: bytes, own: MacVersion, spoken: MacVersion, last: JoinState | None):
    """By a network that says which version it speaks with the device."""
    frame = parse(phy_payload)
    assert isinstance(frame, JoinRequest)
    offered = Offer(
        mac_version=spoken,
        net_id=NET_ID,
        dev_addr=DEV_ADDR,
        opt_neg=False,
        rx1_dr_offset=0,
        rx2_data_rate=0,
        rx_delay=1,
    )
    return answer_as_join_server(
        frame, phy_payload, credentials=OF_1_0, version=own, state=last, offered=offered
    )


def test_the_devices_own_version_decides_which_dev_nonce_may_come_next() -> None:
    heard = as_join_server(request(9), MacVersion.LORAWAN_1_0_4, V1_0_3, None)
    assert isinstance(heard, Agreed)
    assert heard.join_nonce == 1
    for nonce in (9, 8):
        again = as_join_server(request(nonce), MacVersion.LORAWAN_1_0_4, V1_0_3, heard.after)
        assert refusal(again) is Refusal.DEV_NONCE_REPLAYED
    assert isinstance(as_join_server(request(8), V1_0_3, V1_0_3, heard.after), Agreed)


def test_what_a_network_offers_has_its_octet_as_on_air() -> None:
    offered = Offer(
        mac_version=V1_1,
        net_id=NET_ID,
        dev_addr=DEV_ADDR,
        opt_neg=True,
        rx1_dr_offset=5,
        rx2_data_rate=3,
        rx_delay=1,
    )
    assert offered.dl_settings == 0xD3
    assert offered.accept(1).to_bytes()[11] == offered.dl_settings
