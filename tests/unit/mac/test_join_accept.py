from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from bittern.lorawan.crypto import (
    clear_join_accept,
    decrypt_join_accept,
    derive_js_enc_key,
    derive_js_int_key,
    derive_session_keys_1_1,
    join_accept_mic_1_1,
)
from bittern.lorawan.frame import EncryptedJoinAccept, JoinAccept, parse
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.join_accept import Origin, Terms, agree, network_root_key, offer, opened
from bittern.mac.session import NO_FCNT, DeviceStatus, RefusedRequest, Request, Session
from bittern.types import (
    EUI64,
    AppKey,
    DevAddr,
    DevEUI,
    Instant,
    JoinEUI,
    NetID,
    NwkKey,
)

NOW = Instant(1_700_000_500.0)
NET_ID = NetID.from_hex("000013")
DEV_ADDR = DevAddr.from_hex("2601abcd")
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))
DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001b7ad2"))
APP_KEY = AppKey.from_hex("000102030405060708090a0b0c0d0e0f")
NWK_KEY = NwkKey.from_hex("101112131415161718191a1b1c1d1e1f")
V1_0_2, V1_0_3, V1_1 = (
    MacVersion.LORAWAN_1_0_2,
    MacVersion.LORAWAN_1_0_3,
    MacVersion.LORAWAN_1_1,
)
JOIN = Origin(DEV_EUI, 7)
REJOIN_2 = Origin(DEV_EUI, 7, 2)


@dataclass
class Credentials:
    join_eui: JoinEUI = JOIN_EUI
    app_key: AppKey = APP_KEY
    nwk_key: NwkKey | None = None


def grant(origin, terms, credentials, join_nonce) -> tuple[Session, bytes]:
    """Both halves."""
    offered = offer(terms)
    keys, phy_payload = agree(origin, offered, credentials, join_nonce)
    return opened(origin, terms, offered, keys, join_nonce), phy_payload


def rekey(origin, terms, credentials, join_nonce, current) -> tuple[Session, bytes]:
    """Both halves, for a device that keeps its radio parameters."""
    offered = offer(terms, current)
    keys, phy_payload = agree(origin, offered, credentials, join_nonce)
    session = opened(origin, terms, offered, keys, join_nonce, keeping=current)
    return session, phy_payload


OF_1_0 = Credentials()
OF_1_1 = Credentials(nwk_key=NWK_KEY)


@pytest.fixture
def terms(make_profile):
    def terms(
        version: MacVersion = V1_0_3,
        region: str = "EU868",
        sub_bands: tuple[int, ...] = (),
        frequency_hz: int | None = None,
        **profile: object,
    ) -> Terms:
        return Terms(
            profile=make_profile(mac_version=version, **profile),
            plan=plan(region),
            net_id=NET_ID,
            dev_addr=DEV_ADDR,
            now=NOW,
            sub_bands=sub_bands,
            frequency_hz=frequency_hz,
        )

    return terms


def clear(phy_payload: bytes, key) -> JoinAccept:
    frame = parse(phy_payload)
    assert isinstance(frame, EncryptedJoinAccept)
    return decrypt_join_accept(key, frame)


# Keys


def test_the_network_root_key_is_the_nwk_key_if_there_is_one():
    assert network_root_key(OF_1_0) == APP_KEY
    assert network_root_key(OF_1_1) == NWK_KEY


def test_only_an_answer_to_a_rejoin_request_is_one_to_a_rejoin_request():
    assert not JOIN.is_rejoin
    assert all(Origin(DEV_EUI, 7, rejoin_type).is_rejoin for rejoin_type in (0, 1, 2))


def test_a_join_is_answered_under_the_root_key(terms):
    _, phy_payload = grant(JOIN, terms(V1_1), OF_1_1, 3)
    assert clear(phy_payload, NWK_KEY).dev_addr == DEV_ADDR


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
def test_a_rejoin_is_answered_under_the_join_servers_key(terms, rejoin_type):
    origin = Origin(DEV_EUI, 7, rejoin_type)
    _, phy_payload = grant(origin, terms(V1_1), OF_1_1, 3)
    accept = clear(phy_payload, derive_js_enc_key(NWK_KEY, DEV_EUI))
    assert accept.dev_addr == DEV_ADDR
    assert accept.mic == join_accept_mic_1_1(
        derive_js_int_key(NWK_KEY, DEV_EUI),
        accept.to_bytes()[:-4],
        join_req_type=rejoin_type,
        join_eui=JOIN_EUI,
        dev_nonce=7,
    )


def test_the_mic_says_what_the_join_accept_answers(terms):
    key = derive_js_enc_key(NWK_KEY, DEV_EUI)
    mics = {
        clear_join_accept(key, grant(Origin(DEV_EUI, 7, kind), terms(V1_1), OF_1_1, 3)[1])[-4:]
        for kind in (0, 1, 2)
    }
    assert len(mics) == 3


def test_a_rejoin_derives_keys_from_its_counter(terms):
    session, _ = grant(REJOIN_2, terms(V1_1), OF_1_1, 3)
    assert session.keys == derive_session_keys_1_1(
        NWK_KEY, APP_KEY, join_nonce=3, join_eui=JOIN_EUI, dev_nonce=7
    )


def test_another_join_nonce_makes_other_keys(terms):
    sessions = [grant(JOIN, terms(), OF_1_0, join_nonce)[0] for join_nonce in (1, 2)]
    assert sessions[0].keys != sessions[1].keys
    assert [session.generation for session in sessions] == [1, 2]


# Radio


@pytest.mark.parametrize("version", [V1_0_3, V1_1])
def test_a_join_accept_agrees_with_the_session(terms, version):
    credentials = OF_1_1 if version is V1_1 else OF_1_0
    made = terms(version, rx1_delay_s=4, rx1_dr_offset=3, rx2_data_rate=2)
    session, phy_payload = grant(JOIN, made, credentials, 3)
    accept, radio = clear(phy_payload, network_root_key(credentials)), session.radio
    assert (accept.rx_delay, accept.rx1_dr_offset, accept.rx2_data_rate) == (4, 3, 2)
    assert (radio.rx1_delay_s, radio.rx1_dr_offset, radio.rx2_data_rate) == (4, 3, 2)
    assert accept.opt_neg == (version is V1_1)


def test_a_masked_device_starts_on_its_sub_bands_alone(terms):
    made = terms(region="US915", sub_bands=(2,))
    session, _ = grant(JOIN, made, OF_1_0, 1)
    assert session.radio.enabled_channels == (*range(8, 16), 65)


def test_a_device_that_no_channel_list_can_mask_starts_on_every_channel(terms):
    made = terms(V1_0_2, region="US915", sub_bands=(2,))
    session, phy_payload = grant(JOIN, made, OF_1_0, 1)
    assert clear(phy_payload, APP_KEY).cf_list is None
    assert session.radio.enabled_channels == ()


def test_a_network_that_hears_everything_masks_nothing(terms):
    session, _ = grant(JOIN, terms(region="US915"), OF_1_0, 1)
    assert session.radio.enabled_channels == ()


def test_in_some_regions_rx2_is_where_the_channel_of_the_join_has_it(terms):
    cn470 = plan("CN470")
    elsewhere = next(
        one for one in cn470.common_join_channels if one.rx2_frequency_hz != cn470.rx2_frequency_hz
    )
    made = terms(region="CN470", frequency_hz=elsewhere.frequency_hz)
    session, _ = grant(JOIN, made, OF_1_0, 1)
    assert session.radio.rx2_frequency_hz == elsewhere.rx2_frequency_hz


@pytest.mark.parametrize(("version", "expected"), [(V1_0_3, "C"), (V1_1, "A")])
def test_class_c_begins_with_the_session_unless_it_is_announced(terms, version, expected):
    session, _ = grant(JOIN, terms(version, supports_class_c=True), OF_1_1, 1)
    assert session.device_class == expected


# New keys alone


@pytest.fixture
def current(device_1_1):
    """A session that has come some way."""
    session = device_1_1.session(
        generation=2,
        fcnt_up=500,
        nfcnt_down=40,
        afcnt_down=30,
        device_class="C",
        rj_count0=6,
        uplink_history=b"\x00\x90",
        requests=(Request(b"\x04\x01", 499, 2),),
        refused=(RefusedRequest(b"\x05\x00\x00\x00\x00\x00", 0b110),),
        status=DeviceStatus(200, 5, Instant(1_700_000_100.0)),
    )
    radio = msgspec.structs.replace(
        session.radio, rx1_delay_s=3, rx1_dr_offset=1, rx2_data_rate=4, tx_power=2, nb_trans=2
    )
    return msgspec.structs.replace(session, radio=radio)


def test_new_keys_leave_the_radio_as_it_is(terms, current):
    session, _ = rekey(REJOIN_2, terms(V1_1, rx1_delay_s=9), OF_1_1, 3, current)
    assert session.radio == current.radio
    assert session.device_class == "C"


def test_the_join_accept_of_new_keys_says_what_the_radio_is(terms, current):
    _, phy_payload = rekey(REJOIN_2, terms(V1_1, rx1_delay_s=9), OF_1_1, 3, current)
    accept = clear(phy_payload, derive_js_enc_key(NWK_KEY, DEV_EUI))
    assert (accept.rx_delay, accept.rx1_dr_offset, accept.rx2_data_rate) == (3, 1, 4)
    assert accept.cf_list is None


def test_new_keys_come_with_new_counters(terms, current):
    session, _ = rekey(REJOIN_2, terms(V1_1), OF_1_1, 3, current)
    assert (session.fcnt_up, session.nfcnt_down, session.afcnt_down) == (NO_FCNT, 0, 0)
    assert (session.rj_count0, session.revision, session.generation) == (-1, 0, 3)
    assert session.pending
    assert session.dev_addr == DEV_ADDR
    assert session.keys != current.keys


def test_what_was_asked_for_and_refused_outlives_the_keys(terms, current):
    session, _ = rekey(REJOIN_2, terms(V1_1), OF_1_1, 3, current)
    # Sent before the first uplink of the new session.
    assert session.requests == (Request(b"\x04\x01", -1, 2),)
    assert session.refused == current.refused
    assert session.status == current.status
