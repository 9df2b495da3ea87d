import msgspec
import pytest

from bittern.lorawan.versions import MacVersion
from bittern.mac.session import HeardBy
from bittern.network.airtime_ledger import Obstacle, Slot
from bittern.network.events import DownlinkDiscarded, DownlinkSent, DownlinkWaits
from bittern.network.message_queue import ATTEMPTS
from bittern.testing import examples
from bittern.types import EUI64, GatewayEUI, Instant

ONE = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
TWO = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
VERSIONS = [MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1]


async def test_an_uplink_that_is_owed_nothing_gets_no_answer(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1))
    assert stage.gateways.transmissions == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_confirmed_uplink_is_acknowledged(stage, version):
    device = await stage.abp(version)
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    assert stage.answer(device).ack


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("confirmed", [False, True])
async def test_a_queued_message_reaches_its_device(stage, version, confirmed):
    device = await stage.abp(version)
    await stage.queue(payload=b"open", fport=7, confirmed=confirmed)
    await stage.hear(device, device.uplink(b"x", fport=1))
    received = stage.answer(device)
    assert (received.payload, received.fport, received.confirmed) == (b"open", 7, confirmed)
    assert not received.fpending


async def test_one_message_goes_at_a_time_and_more_are_announced(stage):
    device = await stage.abp()
    for number in range(2):
        await stage.queue(number, payload=bytes([number]))
    await stage.hear(device, device.uplink(b"x", fport=1))
    first = stage.answer(device)
    await stage.report()
    await stage.hear(device, device.uplink(b"y", fport=1))
    second = stage.answer(device)
    assert (first.payload, first.fpending) == (b"\0", True)
    assert (second.payload, second.fpending) == (b"\1", False)


async def test_the_counter_is_stored_before_the_frame_is_transmitted(stage, monkeypatch):
    device = await stage.abp()
    stored: list[int] = []
    transmit = stage.gateways.transmit

    def noting(gateway_eui, transmission):
        stored.append(stage.store._sessions[stage.dev_eui, 0].nfcnt_down)
        return transmit(gateway_eui, transmission)

    monkeypatch.setattr(stage.gateways, "transmit", noting)
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    assert stored == [1]


async def test_an_unconfirmed_message_leaves_the_queue_when_its_gateway_has_sent_it(stage):
    device = await stage.abp()
    message = await stage.queue()
    await stage.hear(device, device.uplink(b"x", fport=1))
    (queued,) = await stage.store.queued(stage.dev_eui)
    assert queued.attempts == 1
    await stage.report()
    assert await stage.store.queued(stage.dev_eui) == []
    (sent,) = stage.happened(DownlinkSent)
    assert sent.message_id == message.message_id


async def test_a_message_that_no_gateway_reported_is_sent_again_under_the_next_counter(stage):
    device = await stage.abp()
    await stage.queue(payload=b"open")
    await stage.hear(device, device.uplink(b"x", fport=1))
    await stage.hear(device, device.uplink(b"y", fport=1))
    received = stage.answer(device)
    assert (received.payload, received.fcnt) == (b"open", 1)


async def test_a_confirmed_message_is_tried_three_times_and_then_discarded(stage):
    device = await stage.abp()
    message = await stage.queue(confirmed=True)
    for _ in range(ATTEMPTS + 1):
        await stage.hear(device, device.uplink(b"x", fport=1))
    assert len(stage.gateways.transmissions) == ATTEMPTS
    (discarded,) = stage.happened(DownlinkDiscarded)
    assert (discarded.message_id, discarded.attempts) == (message.message_id, ATTEMPTS)
    assert await stage.store.queued(stage.dev_eui) == []


async def test_the_answer_goes_by_the_gateway_that_heard_the_device_best(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True), TWO, ONE)
    assert [gateway for gateway, _ in stage.gateways.transmissions] == [TWO]


async def test_the_next_best_gateway_answers_when_the_best_is_gone(stage):
    device = await stage.abp()
    stage.gateways.offline.add(ONE)
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True), ONE, TWO)
    ((gateway_eui, transmission),) = stage.gateways.transmissions
    assert gateway_eui == TWO
    assert transmission.xtime == stage.xtime, "in its own time, not that of the best"


async def test_a_message_stays_queued_while_no_gateway_is_connected(stage):
    device = await stage.abp()
    await stage.queue()
    stage.gateways.offline.update((ONE, TWO))
    await stage.hear(device, device.uplink(b"x", fport=1))
    assert len(await stage.store.queued(stage.dev_eui)) == 1
    (waits,) = stage.happened(DownlinkWaits)
    assert "connected" in waits.reason


async def test_a_message_too_long_for_the_data_rate_waits_and_says_so(stage):
    device = await stage.abp()
    message = await stage.queue(payload=bytes(240))
    device.radio.data_rate = 0
    await stage.hear(device, device.uplink(b"x", fport=1))
    assert stage.gateways.transmissions == []
    (waits,) = stage.happened(DownlinkWaits)
    assert waits.message_id == message.message_id
    assert "240" in waits.reason
    assert len(await stage.store.queued(stage.dev_eui)) == 1


async def test_an_acknowledgement_goes_even_when_the_message_beside_it_is_too_long(stage):
    device = await stage.abp()
    await stage.queue(payload=bytes(240))
    device.radio.data_rate = 0
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    received = stage.answer(device)
    assert received.ack
    assert received.fpending
    assert len(stage.happened(DownlinkWaits)) == 1


async def test_a_device_without_messages_is_not_looked_up_at_every_uplink(stage, monkeypatch):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1))

    async def unexpected(*_: object, **__: object) -> None:
        raise AssertionError("the queue was read")

    monkeypatch.setattr(stage.store, "queued", unexpected)
    await stage.hear(device, device.uplink(b"y", fport=1))


async def test_adr_ack_req_is_answered_with_whatever_there_is(stage):
    device = await stage.abp()
    device.adr = True
    device.desk.adr_ack_limit = 1
    await stage.hear(device, device.uplink(b"x", fport=1))
    assert stage.gateways.transmissions == []
    await stage.hear(device, device.uplink(b"y", fport=1))
    received = stage.answer(device)
    assert received.payload == b""


# In time, or not at all


async def test_too_late_for_rx1_it_goes_in_rx2_and_that_is_told(stage):
    device = await stage.abp()
    stage.gateways.round_trips_s[ONE] = 0.96
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    [(_, transmission)] = stage.gateways.transmissions
    assert (transmission.rx1, transmission.rx2) == (None, (0, 869_525_000))
    [sent] = stage.happened(DownlinkSent)
    assert (sent.window, sent.device_class) == ("RX2", "A")
    assert stage.answer(device).ack


async def test_a_nearer_gateway_can_still_be_in_time_for_rx1(stage):
    device = await stage.abp()
    stage.gateways.round_trips_s.update({ONE: 1.99, TWO: 0.02})
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True), ONE, TWO)
    [(gateway_eui, transmission)] = stage.gateways.transmissions
    assert gateway_eui == TWO
    assert transmission.rx1 is not None


async def test_too_late_for_both_windows_nothing_is_used_up_and_that_is_told(stage):
    device = await stage.abp()
    message = await stage.queue()
    stage.gateways.round_trips_s[ONE] = 2.5
    await stage.hear(device, device.uplink(b"x", fport=1))
    assert stage.gateways.transmissions == []
    [waits] = stage.happened(DownlinkWaits)
    assert (waits.message_id, waits.reason) == (message.message_id, Obstacle.TOO_LATE)
    [session] = await stage.store.sessions_of(stage.dev_eui)
    [queued] = await stage.store.queued(stage.dev_eui)
    assert (session.nfcnt_down, queued.attempts) == (0, 0)


async def test_a_store_that_takes_its_time_may_cost_rx1(stage, monkeypatch):
    device = await stage.abp()
    advance = stage.store.advance

    async def slowly(*args):
        stage.time = Instant(stage.time + 0.5)
        return await advance(*args)

    monkeypatch.setattr(stage.store, "advance", slowly)
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    [(_, transmission)] = stage.gateways.transmissions
    assert (transmission.rx1, transmission.rx2) == (None, (0, 869_525_000))


async def test_what_is_too_long_for_the_only_window_left_waits_and_the_rest_goes(stage):
    """52 bytes fit RX1 at SF7, not RX2 at SF12."""
    device = await stage.abp()
    message = await stage.queue(payload=bytes(52))
    stage.gateways.round_trips_s[ONE] = 0.96
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    got = stage.answer(device)
    assert (got.ack, got.payload, got.fpending) == (True, b"", True)
    [waits] = stage.happened(DownlinkWaits)
    assert waits.message_id == message.message_id


async def test_a_gateway_that_sends_to_another_device_then_leaves_the_answer_to_the_next(stage):
    device = await stage.abp()
    transmitter = stage.network.transmitter
    [route] = await transmitter.routes_to([HeardBy(ONE, 9.0, 0, False)])
    elsewhere = Slot(Instant(stage.time + 10.9), 0.3, 868_500_000)
    route.account.book(99, [elsewhere], stage.time)
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True), ONE, TWO)
    [(gateway_eui, transmission)] = stage.gateways.transmissions
    assert gateway_eui == TWO
    assert transmission.rx1 is not None


async def test_while_somebody_else_sends_the_device_something_the_answer_is_written_anew(
    stage, monkeypatch
):
    device = await stage.abp()
    advance, calls = stage.store.advance, []

    async def outrun(before, after, *effects):
        calls.append(before.revision)
        if len(calls) == 2:  # the answer: a class C frame has just used its counter
            await advance(before, msgspec.structs.replace(after))
        return await advance(before, after, *effects)

    monkeypatch.setattr(stage.store, "advance", outrun)
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    got = stage.answer(device)
    assert (got.ack, got.fcnt) == (True, 1)


async def test_when_the_device_has_sent_its_next_frame_that_one_is_answered(stage, monkeypatch):
    device = await stage.abp()
    advance, calls = stage.store.advance, []

    async def outrun(before, after, *effects):
        calls.append(before.revision)
        if len(calls) == 2:
            await advance(before, examples.next_session(before))
        return await advance(before, after, *effects)

    monkeypatch.setattr(stage.store, "advance", outrun)
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    assert stage.gateways.transmissions == []


async def test_a_join_accept_has_its_deadline_too(stage):
    device = await stage.otaa()
    stage.gateways.round_trips_s[ONE] = 4.96
    await stage.hear(device, device.join_request())
    [(_, transmission)] = stage.gateways.transmissions
    assert (transmission.rx1, transmission.rx_delay_s) == (None, 5)
    stage.answer(device)
