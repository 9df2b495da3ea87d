import base64
import json

import msgspec
import pytest

from bittern.errors import StoreUnavailable
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands.notices import CommandProblem
from bittern.network.events import (
    DownlinkAcknowledged,
    FrameRefused,
    MacCommandIgnored,
    MacRequestDeclined,
    UplinkDelivered,
    UplinkRepeated,
)
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.testing import examples
from bittern.types import EUI64, GatewayEUI, Refusal

ONE = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
TWO = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
VERSIONS = [MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1]


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_uplink_is_stored_and_offered_as_the_message_of_its_device(stage, version):
    device = await stage.abp(version)
    await stage.hear(device, device.uplink(b"hello", fport=10), ONE, TWO)

    (delivery,) = stage.outbox.deliveries
    message = json.loads(delivery.document)
    assert base64.b64decode(message["PayloadData"]) == b"hello"
    assert message["WirelessMetadata"]["LoRaWAN"]["DevEui"] == str(stage.dev_eui)
    heard_by = message["WirelessMetadata"]["LoRaWAN"]["Gateways"]
    assert [gateway["GatewayEui"] for gateway in heard_by] == [str(ONE), str(TWO)]
    assert message["MessageId"] == delivery.message_id
    assert delivery.destination == "plant"
    assert [owed.sequence for owed in await stage.store.owed(0, 10)] == [delivery.sequence]


async def test_the_session_moves_on_with_the_delivery(stage):
    device = await stage.abp()
    for _ in range(3):
        await stage.hear(device, device.uplink(b"x", fport=1))
    (session,) = await stage.store.sessions_of(stage.dev_eui)
    assert session.fcnt_up == 2
    assert len(stage.happened(UplinkDelivered)) == 3


async def test_a_replayed_frame_is_refused_by_name(stage):
    device = await stage.abp()
    first = device.uplink(b"x", fport=1)
    await stage.hear(device, first)
    await stage.hear(device, device.uplink(b"y", fport=1))
    await stage.hear(device, first)
    (refused,) = stage.happened(FrameRefused)
    assert refused.refusal is Refusal.FCNT_REPLAYED
    assert refused.dev_eui == stage.dev_eui
    assert len(stage.outbox.deliveries) == 2


async def test_a_retransmission_is_acknowledged_again_and_delivered_once(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    await stage.hear(device, device.retransmit())
    assert len(stage.outbox.deliveries) == 1
    assert len(stage.happened(UplinkRepeated)) == 1
    assert len(stage.gateways.transmissions) == 2
    assert stage.answer(device).ack


async def test_a_frame_with_another_mic_is_refused(stage):
    device = await stage.abp()
    phy_payload = device.uplink(b"x", fport=1)
    await stage.hear(device, phy_payload[:-1] + bytes([phy_payload[-1] ^ 1]))
    assert [event.refusal for event in stage.happened(FrameRefused)] == [Refusal.MIC_MISMATCH]
    assert stage.outbox.deliveries == []


async def test_an_unknown_address_is_refused(stage):
    device = await stage.abp()
    phy_payload = device.uplink(b"x", fport=1)
    await stage.store.remove_device(stage.dev_eui)
    await stage.hear(device, phy_payload)
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.UNKNOWN_DEV_ADDR]


async def test_a_malformed_frame_is_refused(stage):
    device = await stage.abp()
    device.uplink(b"x", fport=1)
    await stage.hear(device, b"\x40\x01\x02")
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.MALFORMED_FRAME]


async def test_a_proprietary_frame_is_not_for_this_server(stage):
    device = await stage.abp()
    device.uplink(b"x", fport=1)
    await stage.hear(device, b"\xe0" + bytes(12))
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.UNSUPPORTED_FRAME]


async def test_a_data_rate_that_the_region_does_not_have_is_refused(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1), data_rate=15)
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.WRONG_REGION]


async def test_a_frequency_outside_the_region_is_refused(stage):
    device = await stage.abp()
    for frequency_hz in (862_999_900, 870_000_100, 0, 902_300_000):
        phy_payload = device.uplink(b"x", fport=1)
        await stage.hear(device, phy_payload, frequency_hz=frequency_hz)
    refused = stage.happened(FrameRefused)
    assert [one.refusal for one in refused] == [Refusal.WRONG_REGION] * 4
    assert refused[-1].reason == "902300000 Hz is outside EU868"
    assert (refused[-1].dev_addr, refused[-1].fcnt16) == (device.session.dev_addr, 3)
    assert stage.outbox.deliveries == []


async def test_a_frame_on_port_0_is_accepted_but_owed_to_nobody(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"\x02", fport=0))
    assert stage.outbox.deliveries == []
    (session,) = await stage.store.sessions_of(stage.dev_eui)
    assert session.fcnt_up == 0


async def test_a_frame_without_port_is_reported_with_225(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink())
    (delivery,) = stage.outbox.deliveries
    assert json.loads(delivery.document)["WirelessMetadata"]["LoRaWAN"]["FPort"] == 225


async def test_beyond_the_disk_budget_no_message_is_accepted(stage):
    device = await stage.abp()
    stage.outbox.is_full = True
    phy_payload = device.uplink(b"x", fport=1, confirmed=True)
    await stage.hear(device, phy_payload)
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.STORE_UNAVAILABLE]
    assert stage.outbox.deliveries == []
    assert stage.gateways.transmissions == []

    stage.outbox.is_full = False
    await stage.hear(device, phy_payload)
    assert len(stage.outbox.deliveries) == 1


async def test_what_the_store_cannot_keep_is_not_accepted(stage, monkeypatch):
    device = await stage.abp()

    async def full(*_: object) -> int | None:
        raise StoreUnavailable("disk full")

    phy_payload = device.uplink(b"x", fport=1, confirmed=True)
    monkeypatch.setattr(stage.store, "advance", full)
    await stage.hear(device, phy_payload)
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.STORE_UNAVAILABLE]
    assert stage.outbox.deliveries == []
    assert stage.gateways.transmissions == []

    monkeypatch.undo()
    await stage.hear(device, phy_payload)
    assert len(stage.outbox.deliveries) == 1


async def test_a_session_that_another_process_moved_on_is_read_again(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1))
    (elsewhere,) = await stage.store.sessions_of(stage.dev_eui)
    device.uplink(b"heard by another process", fport=1)
    await stage.store.advance(elsewhere, examples.next_session(elsewhere))
    await stage.hear(device, device.uplink(b"y", fport=1))
    (session,) = await stage.store.sessions_of(stage.dev_eui)
    assert session.fcnt_up == 2
    assert len(stage.outbox.deliveries) == 2


async def test_the_same_frame_at_two_processes_is_accepted_once(stage):
    """The second one's session is stale, and read anew it has this counter already."""
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1))
    cached = stage.network.sessions.at(device.session.dev_addr)
    phy_payload = device.uplink(b"y", fport=1)
    await stage.hear(device, phy_payload)
    stage.network.sessions.replace((await stage.store.sessions_of(stage.dev_eui))[0], cached[0])
    await stage.hear(device, phy_payload)
    assert len(stage.outbox.deliveries) == 2
    assert len(stage.happened(UplinkRepeated)) == 1


async def test_the_acknowledgement_of_a_downlink_names_it_and_empties_the_queue(stage):
    device = await stage.abp()
    message = await stage.queue(confirmed=True)
    await stage.hear(device, device.uplink(b"x", fport=1))
    stage.answer(device)
    await stage.hear(device, device.uplink(b"y", fport=1))
    (acknowledged,) = stage.happened(DownlinkAcknowledged)
    assert acknowledged.message_id == message.message_id
    assert await stage.store.queued(stage.dev_eui) == []
    document = json.loads(stage.outbox.deliveries[-1].document)
    assert document["WirelessMetadata"]["LoRaWAN"]["AckedMessageId"] == message.message_id


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_link_check_is_answered_in_the_next_window(stage, version):
    device = await stage.otaa(version)
    await stage.hear(device, device.join_request())
    stage.answer(device)
    device.desk.ask_link_check()
    await stage.hear(device, device.uplink(b"x", fport=1), ONE, TWO)
    received = stage.answer(device)
    (link_check,) = [command for command in received.commands if command.cid == 0x02]
    assert link_check.content[1] == 2, "the number of gateways that heard it"


async def test_battery_and_margin_are_asked_for_and_told_ever_after(stage):
    device = await stage.abp()
    device.desk.battery = 210
    await stage.hear(device, device.uplink(b"x", fport=1))
    await stage.pass_time(3600)
    await stage.hear(device, device.uplink(b"x", fport=1))
    stage.answer(device)
    for _ in range(2):
        await stage.hear(device, device.uplink(b"x", fport=1))
    messages = [json.loads(one.document) for one in stage.outbox.deliveries]
    told = [one["WirelessMetadata"]["LoRaWAN"] for one in messages]
    assert [one.get("Battery") for one in told] == [None, None, 210, 210]
    assert [one.get("Margin") for one in told] == [None, None, 10, 10]


@pytest.mark.parametrize("field", ["battery", "margin"])
async def test_the_service_profile_may_keep_them_back(stage, field):
    device = await stage.abp()
    kept_back = msgspec.structs.replace(
        examples.SERVICE_PROFILE, **{f"report_dev_status_{field}": False}
    )
    stage.store._service_profiles[kept_back.id] = kept_back
    await stage.pass_time(3600)
    await stage.hear(device, device.uplink(b"x", fport=1))
    stage.answer(device)
    await stage.hear(device, device.uplink(b"x", fport=1))
    told = json.loads(stage.outbox.deliveries[-1].document)["WirelessMetadata"]["LoRaWAN"]
    assert field.capitalize() not in told
    assert len({"Battery", "Margin"} & set(told)) == 1


async def test_mac_commands_that_go_wrong_are_told_by_name(stage):
    device = await stage.abp()
    device.desk._answers.append(b"\x06\xff\x0a")
    await stage.hear(device, device.uplink(b"x", fport=1))
    device.desk._answers.append(b"\x7f")
    await stage.hear(device, device.uplink(b"x", fport=1))
    ignored = stage.happened(MacCommandIgnored)
    assert [one.problem for one in ignored] == [
        CommandProblem.NOT_ASKED,
        CommandProblem.UNREADABLE,
    ]
    assert len(stage.outbox.deliveries) == 2, "the uplinks are good nevertheless"


async def test_adr_makes_a_device_faster_that_is_heard_well(stage):
    device = await stage.abp()
    device.adr, device.radio.data_rate = True, 0
    for _ in range(23):
        before = len(stage.gateways.transmissions)
        await stage.hear(device, device.uplink(b"x", fport=1), snr_db=15.0)
        if len(stage.gateways.transmissions) > before:
            stage.answer(device)
    # The profile names channels that this device does not have: the defaults are left.
    assert len(stage.happened(MacRequestDeclined)) == 1
    assert device.radio.data_rate == 5
    assert device.radio.enabled == {0, 1, 2}
    (session,) = await stage.store.sessions_of(stage.dev_eui)
    assert (session.radio.data_rate, session.requests) == (5, ())


class NotingCodecs:
    """Says that it was asked."""

    def __init__(self):
        self.asked = []

    async def decoded_payload(self, account, codec, payload, fport, received_at):
        self.asked.append((account, codec, payload, fport, received_at))
        return b'{"Codec":"meter","Data":{"level":7}}'


async def with_codec(stage, codec="meter"):
    """A personalized device whose profile names `codec`, and who is asked for it."""
    device = await stage.abp()
    for profile in await stage.store.device_profiles(DEFAULT_ACCOUNT):
        named = msgspec.structs.replace(profile, codec=codec)
        stage.store._device_profiles[profile.id] = named
    stage.network.directory._devices.clear()
    stage.network.uplinks._codecs = NotingCodecs()
    return device, stage.network.uplinks._codecs


async def test_what_a_payload_means_stands_beside_it(stage):
    device, codecs = await with_codec(stage)
    await stage.hear(device, device.uplink(b"hello", fport=10))
    (delivery,) = stage.outbox.deliveries
    message = json.loads(delivery.document)
    assert base64.b64decode(message["PayloadData"]) == b"hello"
    assert message["DecodedPayload"] == {"Codec": "meter", "Data": {"level": 7}}
    (asked,) = codecs.asked
    assert asked[:4] == (examples.DEVICE_PROFILE.account, "meter", b"hello", 10)
    assert asked[4] == delivery.created_at


async def test_a_repetition_and_a_frame_without_payload_are_not_decoded(stage):
    device, codecs = await with_codec(stage)
    await stage.hear(device, device.uplink(b"", fport=None))
    again = device.uplink(b"x", fport=1, confirmed=True)
    await stage.hear(device, again)
    await stage.hear(device, again)
    assert [asked[2] for asked in codecs.asked] == [b"x"]


async def test_a_device_without_a_codec_is_not_asked_about(stage):
    device, codecs = await with_codec(stage, codec="")
    await stage.hear(device, device.uplink(b"hello", fport=10))
    (delivery,) = stage.outbox.deliveries
    assert "DecodedPayload" not in json.loads(delivery.document)
    assert codecs.asked == []


async def test_whoever_counts_uplinks_is_told_of_accepted_ones_alone(stage):
    device = await stage.abp()
    told = []
    stage.network.journal.tally = lambda *of: told.append(of)
    first = device.uplink(b"x", fport=1)
    for frame in (first, first, device.uplink(b"y", fport=1)):
        await stage.hear(device, frame, ONE, TWO)
    assert [(before.fcnt_up, fcnt) for before, fcnt, _ in told] == [(-1, 0), (0, 1)]
    assert [[one.gateway_eui for one in heard] for _, _, heard in told] == [[ONE, TWO]] * 2
