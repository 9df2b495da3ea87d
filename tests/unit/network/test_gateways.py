from bittern.lorawan.radio import Transmission
from bittern.network.gateways import Gateways
from bittern.testing import examples
from bittern.types import GatewayEUI

FRAME = Transmission(
    downlink_id=1,
    dev_eui=examples.DEV_EUI,
    device_class="A",
    phy_payload=b"frame",
    rx_delay_s=1,
)


class FrontEnd:
    def __init__(self, *connected: GatewayEUI) -> None:
        self.connected = connected
        self.asked = 0

    def transmit(self, gateway_eui: GatewayEUI, transmission: Transmission) -> bool:
        self.asked += 1
        return gateway_eui in self.connected

    def is_connected(self, gateway_eui: GatewayEUI) -> bool:
        return gateway_eui in self.connected

    def round_trip_s(self, gateway_eui: GatewayEUI) -> float | None:
        return 0.125 if gateway_eui in self.connected else None


def test_the_first_front_end_that_takes_the_frame_sends_it():
    gateways = Gateways()
    without, having, spare = FrontEnd(), FrontEnd(examples.GATEWAY_EUI), FrontEnd()
    for front_end in (without, having, spare):
        gateways.join(front_end)
    assert gateways.transmit(examples.GATEWAY_EUI, FRAME)
    assert (without.asked, having.asked, spare.asked) == (1, 1, 0)


def test_a_gateway_at_no_front_end_is_not_reached():
    assert not Gateways().transmit(examples.GATEWAY_EUI, FRAME)


def test_the_round_trip_is_known_where_the_gateway_is_connected():
    gateways = Gateways()
    for front_end in (FrontEnd(), FrontEnd(examples.GATEWAY_EUI)):
        gateways.join(front_end)
    assert gateways.round_trip_s(examples.GATEWAY_EUI) == 0.125
    assert Gateways().round_trip_s(examples.GATEWAY_EUI) is None
    assert gateways.is_connected(examples.GATEWAY_EUI)
    assert not Gateways().is_connected(examples.GATEWAY_EUI)
