from __future__ import annotations

import pytest

from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.personalization import personalize, personalized_radio
from bittern.mac.session import RadioState
from bittern.mac.uplink import Accepted
from bittern.types import Instant

EU868 = plan("EU868")


@pytest.mark.parametrize("version", [MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_1])
def test_the_first_frame_of_a_personalized_device_is_accepted(
    make_device, make_profile, hear, version
):
    device = make_device(version)
    session = personalize(
        device.session().dev_eui,
        device.dev_addr,
        device.keys,
        profile=make_profile(mac_version=version),
        plan=EU868,
        now=Instant(5.0),
        first_revision=1 << 40,
    )
    assert (session.generation, session.joined, session.pending) == (0, False, False)
    assert session.revision == 1 << 40
    assert session.region == "EU868"
    assert session.activated_at == 5.0
    assert isinstance(hear(device.uplink(0, b"x", fport=1), session), Accepted)


def test_the_counter_may_start_above_0(device, make_profile, hear):
    session = personalize(
        device.session().dev_eui,
        device.dev_addr,
        device.keys,
        profile=make_profile(supports_32bit_fcnt=False),
        plan=EU868,
        now=Instant(5.0),
        first_revision=1 << 40,
        fcnt_start=100,
    )
    assert not session.counts_32_bits
    assert hear(device.uplink(100), session).fcnt == 100
    assert not isinstance(hear(device.uplink(99), session), Accepted)


def test_the_region_gives_what_the_profile_leaves_open(profile):
    assert personalized_radio(profile, EU868) == RadioState(
        rx1_delay_s=1, rx1_dr_offset=0, rx2_data_rate=0, rx2_frequency_hz=869_525_000
    )


def test_the_profile_says_how_the_device_was_made(make_profile):
    profile = make_profile(
        rx1_delay_s=5, rx1_dr_offset=2, rx2_data_rate=3, rx2_frequency_hz=868_500_000
    )
    assert personalized_radio(profile, EU868) == RadioState(
        rx1_delay_s=5, rx1_dr_offset=2, rx2_data_rate=3, rx2_frequency_hz=868_500_000
    )


def test_a_delay_of_0_is_1_second(make_profile):
    assert personalized_radio(make_profile(rx1_delay_s=0), EU868).rx1_delay_s == 1
