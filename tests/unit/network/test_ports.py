import random

from bittern.network.gateways import Gateways
from bittern.network.ports import GatewayLink, Randomness


def test_the_front_ends_together_are_a_link():
    link: GatewayLink = Gateways()
    assert callable(link.transmit)


def test_seeded_randomness_will_do():
    source: Randomness = random.Random(1)
    assert 0 <= source.getrandbits(8) < 256
