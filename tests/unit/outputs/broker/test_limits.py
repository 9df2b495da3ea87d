from __future__ import annotations

import msgspec

from bittern.config import Mqtt
from bittern.outputs.broker.limits import BrokerLimits, broker_limits


def test_defaults_of_the_configuration_are_those_of_the_broker() -> None:
    assert broker_limits(Mqtt()) == BrokerLimits()


def test_every_setting_has_its_bound() -> None:
    limits = broker_limits(
        Mqtt(
            connections=1,
            connections_per_user=2,
            login_timeout_s=3.0,
            max_message_bytes=4000,
            subscriptions_per_session=5,
            inflight_messages=6,
            queued_messages=70,
            queued_bytes=80_000,
            session_expiry_days=0.5,
        )
    )
    connection = limits.connection
    assert (connection.connections, connection.login_s) == (1, 3.0)
    assert (connection.packet_bytes, connection.login_bytes) == (4000, 4000)
    assert (limits.hub.connections_per_user, limits.hub.subscriptions) == (2, 5)
    assert msgspec.structs.astuple(limits.session)[:3] == (6, 14, 10_000)
    assert msgspec.structs.astuple(limits.log) == (70, 80_000, 43_200.0)
