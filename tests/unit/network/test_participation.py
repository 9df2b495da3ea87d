import pytest

from bittern.lorawan.radio import Window
from bittern.mac.session import HeardBy
from bittern.network.participation import UNHEARD_DB, Turn, turn
from bittern.store.records import ParticipatingGateway, ParticipatingGateways
from bittern.testing import examples
from bittern.types import EUI64, GatewayEUI

ONE, TWO, THREE = (GatewayEUI(EUI64.from_int(number)) for number in (1, 2, 3))
HEARD = (HeardBy(TWO, 7.0, 5, False), HeardBy(THREE, 1.0, 6, True))
SESSION = examples.session(heard_by=HEARD)
RX2 = Window(0, 869_525_000)


def chosen(mode: str, *gateways: GatewayEUI, interval_s: int = 60) -> object:
    listed = tuple(ParticipatingGateway(eui, 868_000_000 + 100_000 * int(eui)) for eui in gateways)
    participating = ParticipatingGateways(mode=mode, gateways=listed, interval_s=interval_s)
    return examples.downlink(participating=participating)


def euis(one: Turn) -> list[GatewayEUI]:
    return [by.gateway_eui for by in one.heard_by]


def test_without_a_choice_it_is_one_of_those_that_heard_the_device():
    only = turn(examples.downlink(), SESSION, 0)
    assert only == Turn(HEARD)
    assert only.window(TWO, RX2) == RX2


@pytest.mark.parametrize("message", [chosen("USING_UPLINK_GATEWAY", ONE), chosen("CONCURRENT")])
def test_the_uplink_gateway_may_be_chosen_by_name(message):
    only = turn(message, SESSION, 0)
    assert (only.heard_by, only.all_of_them, only.pause_s) == (HEARD, False, None)


def test_the_uplink_gateway_sends_where_the_list_has_it():
    only = turn(chosen("USING_UPLINK_GATEWAY", TWO), SESSION, 0)
    assert only.window(TWO, RX2) == Window(0, 868_200_000)
    assert only.window(THREE, RX2) == RX2


def test_concurrent_is_all_of_the_list_at_once():
    only = turn(chosen("CONCURRENT", ONE, TWO), SESSION, 0)
    assert only.heard_by == (HeardBy(ONE, UNHEARD_DB, 0, True), HEARD[0])
    assert (only.all_of_them, only.pause_s) == (True, None)
    assert only.window(ONE, RX2) == Window(0, 868_100_000)


def test_sequential_is_one_after_the_other_with_the_pause_between():
    message = chosen("SEQUENTIAL", THREE, ONE, interval_s=1200)
    first, second = turn(message, SESSION, 0), turn(message, SESSION, 1)
    assert (euis(first), first.pause_s, first.all_of_them) == ([THREE], 1200.0, False)
    assert (euis(second), second.pause_s) == ([ONE], None)
