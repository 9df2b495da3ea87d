"""Devices of older regional parameters on air, beside gateways that have the newest.

What the devices know is typed from those older texts.
"""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest

from bittern.lorawan.versions import MacVersion
from bittern.network.events import (
    DownlinkWaits,
    FrameRefused,
    MacRequestDeclined,
    UplinkDelivered,
)
from bittern.simulator.device import SimulatedDevice
from bittern.simulator.regions import EU868, US915, UplinkChannel
from bittern.testing import examples
from bittern.types import Refusal

# LoRaWAN 1.0.2 Regional Parameters, 2.6: the data rates and windows of US915.
AU915_1_0_2 = replace(
    US915,
    name="AU915",
    default_channels=(
        *(UplinkChannel(915_200_000 + 200_000 * n, 0, 3) for n in range(64)),
        *(UplinkChannel(915_900_000 + 1_600_000 * n, 4, 4) for n in range(8)),
    ),
    frequency_range=(915_000_000, 928_000_000),
    max_tx_power=10,
)
# RP002-1.0.0, 2.10: DR2 carries 51 bytes behind an FPort and an empty FOpts.
AS923_RP002_1_0_0 = replace(
    EU868,
    name="AS923-1",
    max_mac_payload={**EU868.max_mac_payload, 2: 59},
    default_channels=(UplinkChannel(923_200_000, 0, 5), UplinkChannel(923_400_000, 0, 5)),
    frequency_range=(915_000_000, 928_000_000),
    rx2_frequency_hz=923_200_000,
    rx2_data_rate=2,
    tx_param_setup=True,
)
AS923_RP002_1_0_1 = replace(
    AS923_RP002_1_0_0, max_mac_payload={**AS923_RP002_1_0_0.max_mac_payload, 2: 123}
)


async def a_meter(field, region, revision, *, data_rate=None, version=MacVersion.LORAWAN_1_0_3):
    """It has tried to join and, if it could, what it had to be told is settled."""
    profile = msgspec.structs.replace(
        examples.DEVICE_PROFILE,
        region=field.region,
        mac_version=version,
        reg_params_revision=revision,
    )
    await field.store.add_device_profile(profile)
    meter = field.devices["meter"] = SimulatedDevice(
        dev_eui=examples.dev_eui(0),
        activation=await field._register(0, profile, True),
        version=version,
        region=region,
        chance=random.Random(1),
        data_rate=data_rate,
        sub_bands=(2,) if region.kind == "fixed" else (),
    )
    field.air.add(meter)
    await field.join("meter")
    await field.passes(30)
    for _ in range(3 if meter.session else 0):
        await field.up("meter")
        await field.passes(30)
    field.begin()
    return meter


async def test_au915_as_it_was_at_first_is_told_its_own_data_rates(a_field):
    """SF7 is DR3 to the device and DR5 to the gateway. The network masks the channels that it does
    not hear, in a LinkADRReq with a data rate: the device would refuse DR5, which it has not."""
    field = await a_field("AU915")
    await field.add_gateway("roof")
    meter = await a_meter(field, AU915_1_0_2, "RP001-1.0.2 rev A", version=MacVersion.LORAWAN_1_0_2)
    assert field.happened(MacRequestDeclined) == field.happened(FrameRefused) == []
    assert field.happened(UplinkDelivered)[-1].data_rate == meter.radio.data_rate == 3
    [session] = await field.store.sessions_of(meter.dev_eui)
    assert session.radio.enabled_channels == (*range(8, 16), 65)
    await field.up("meter", confirmed=True)
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.000 meter  up   FCnt 3 confirmed
  1.000 roof   RX1  meter FCnt 1 ack
"""
    )


async def test_a_device_newer_than_its_profile_is_refused_by_name(a_field):
    """DR0 to DR5 of today are SF12 to SF7; the profile knows none of 11 and 12."""
    field = await a_field("AU915")
    await field.add_gateway("roof")
    sf12 = replace(US915.data_rates[0], spreading_factor=12)
    today = replace(AU915_1_0_2, data_rates={**AU915_1_0_2.data_rates, 0: sf12})
    meter = await a_meter(
        field, today, "RP001-1.0.2", data_rate=0, version=MacVersion.LORAWAN_1_0_2
    )
    assert meter.session is None
    [refused] = field.happened(FrameRefused)[:1]
    assert refused.refusal is Refusal.WRONG_REGION
    assert refused.reason == (
        "AU915 of RP001-1.0.2, which its profile names, does not have DR0 of the newest revision"
    )


@pytest.mark.parametrize(
    ("revision", "region", "sent"),
    [
        ("RP002-1.0.0", AS923_RP002_1_0_0, False),
        ("RP002-1.0.1", AS923_RP002_1_0_1, True),
        ("", AS923_RP002_1_0_1, True),
    ],
)
async def test_dr2_of_as923_carries_what_the_revision_says(a_field, revision, region, sent):
    field = await a_field("AS923-1")
    await field.add_gateway("roof")
    await a_meter(field, region, revision, data_rate=2)
    message = await field.queue("meter", b"x" * 60)
    await field.up("meter")
    await field.passes(10)
    assert field.air.complaints == []
    waits = [event for event in field.happened(DownlinkWaits) if event.message_id]
    if sent:
        assert field.on_air().endswith(f"meter FCnt 0 {'x' * 60}\n")
        assert waits == []
    else:
        assert [event.message_id for event in waits] == [message.message_id]
        assert "60" in waits[0].reason
        assert "51" in waits[0].reason
