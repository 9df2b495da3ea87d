from __future__ import annotations

import pytest

from bittern.lorawan.commands import ForceRejoinReq
from bittern.mac.commands import force_rejoin


@pytest.mark.parametrize("rejoin_type", [0, 2])
def test_a_demand_is_told_while_the_session_lasts(device_1_1, surroundings, rejoin_type):
    session = device_1_1.session(generation=1)
    assert not force_rejoin.needs(session, surroundings())
    demanded = force_rejoin.demand(session, rejoin_type, data_rate=3, period=2, max_retries=4)
    assert demanded.revision == session.revision + 1
    assert force_rejoin.needs(demanded, surroundings())
    request = ForceRejoinReq(period=2, max_retries=4, rejoin_type=rejoin_type, data_rate=3)
    assert force_rejoin.enqueue(demanded, surroundings()) == [(request,)]


def test_type_1_is_the_devices_own_choice(device_1_1):
    with pytest.raises(ValueError, match="only 0 and 2"):
        force_rejoin.demand(device_1_1.session(generation=1), 1, data_rate=0)


def test_only_devices_of_1_1_that_joined_can_rejoin(device, device_1_1):
    for session in (device.session(generation=1), device_1_1.session()):
        with pytest.raises(ValueError, match="joined over the air"):
            force_rejoin.demand(session, 0, data_rate=0)
