import pytest

from bittern.network.allowance import Allowance
from bittern.network.events import FrameRefused, JoinAnswered
from bittern.network.join_limits import JoinLimiter, JoinLimits
from bittern.testing import examples
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

LIMITS = JoinLimits(
    device=Allowance(burst=2, per_second=0.5), gateway=Allowance(burst=3, per_second=1)
)
OTHER_GATEWAY = GatewayEUI(EUI64.from_int(9))


def test_a_device_has_a_burst_and_then_one_join_at_a_time():
    limiter = JoinLimiter(LIMITS)
    at_once = [limiter.device_may(examples.DEV_EUI, Instant(0.0)) for _ in range(3)]
    assert at_once == [True, True, False]
    assert not limiter.device_may(examples.DEV_EUI, Instant(1.9))
    assert limiter.device_may(examples.DEV_EUI, Instant(2.0))
    assert not limiter.device_may(examples.DEV_EUI, Instant(2.0))


def test_one_device_does_not_use_up_the_joins_of_another():
    limiter = JoinLimiter(LIMITS)
    for _ in range(5):
        limiter.device_may(examples.DEV_EUI, Instant(0.0))
    assert limiter.device_may(examples.dev_eui(1), Instant(0.0))


def test_one_gateway_does_not_use_up_the_joins_of_another():
    limiter = JoinLimiter(LIMITS)
    heard = [limiter.gateway_may(examples.GATEWAY_EUI, Instant(0.0)) for _ in range(4)]
    assert heard == [True, True, True, False]
    assert limiter.gateway_may(OTHER_GATEWAY, Instant(0.0))


def test_nobody_saves_up_more_than_a_burst():
    limiter = JoinLimiter(LIMITS)
    limiter.device_may(examples.DEV_EUI, Instant(0.0))
    later = [limiter.device_may(examples.DEV_EUI, Instant(1000.0)) for _ in range(3)]
    assert later == [True, True, False]


def test_whoever_has_been_quiet_is_forgotten():
    limiter = JoinLimiter(LIMITS)
    for number in range(100):
        limiter.device_may(examples.dev_eui(number), Instant(0.0))
    limiter.device_may(examples.DEV_EUI, Instant(4.0))
    assert len(limiter._devices) == 1


async def test_a_device_that_joins_without_end_is_held_down_and_keeps_its_nonces(stage):
    device = await stage.otaa()
    stage.network.joins._limiter = JoinLimiter(LIMITS)
    for _ in range(4):
        await stage.hear(device, device.join_request(), at_once=True)
    refusals = [event.refusal for event in stage.happened(FrameRefused)]
    assert refusals == [Refusal.JOIN_FLOOD] * 2
    assert len(stage.happened(JoinAnswered)) == 2
    state = await stage.store.join_state(stage.dev_eui)
    assert state is not None
    assert state.next_join_nonce == 3


async def test_forged_requests_do_not_use_up_the_joins_of_a_device(stage):
    device = await stage.otaa()
    stage.network.joins._limiter = JoinLimiter(
        JoinLimits(device=LIMITS.device, gateway=Allowance(burst=100, per_second=1))
    )
    for _ in range(10):
        request = device.join_request()
        await stage.hear(device, request[:-1] + bytes([request[-1] ^ 1]), at_once=True)
    assert {event.refusal for event in stage.happened(FrameRefused)} == {Refusal.MIC_MISMATCH}
    await stage.hear(device, device.join_request())
    assert len(stage.gateways.transmissions) == 1


async def test_a_gateway_that_hears_joins_without_end_is_held_down(stage):
    device = await stage.otaa()
    stage.network.joins._limiter = JoinLimiter(
        JoinLimits(device=Allowance(burst=100, per_second=1), gateway=LIMITS.gateway)
    )
    for _ in range(5):
        await stage.hear(device, device.join_request(), at_once=True)
    refusals = [event.refusal for event in stage.happened(FrameRefused)]
    assert refusals == [Refusal.JOIN_FLOOD] * 2


def test_the_defaults_let_a_site_join_after_a_power_cut():
    limiter = JoinLimiter()
    heard = [limiter.gateway_may(examples.GATEWAY_EUI, Instant(n / 100)) for n in range(500)]
    assert all(heard)


@pytest.mark.parametrize("kind", ["device", "gateway"])
def test_every_allowance_lets_somebody_in(kind):
    allowance = getattr(JoinLimits(), kind)
    assert allowance.burst >= 1
    assert allowance.per_second > 0
