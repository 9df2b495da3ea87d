"""All bounds of the embedded broker, and what of them is configured."""

from __future__ import annotations

import msgspec

from bittern.config import Mqtt
from bittern.outputs.broker.connection import ConnectionLimits
from bittern.outputs.broker.hub import HubLimits
from bittern.outputs.broker.log import LogLimits
from bittern.outputs.broker.session import SessionLimits
from bittern.outputs.broker.throttle import ThrottleLimits

DAY_S = 86_400.0


class BrokerLimits(msgspec.Struct, frozen=True, kw_only=True):
    connection: ConnectionLimits = ConnectionLimits()
    session: SessionLimits = SessionLimits()
    hub: HubLimits = HubLimits()
    log: LogLimits = LogLimits()
    throttle: ThrottleLimits = ThrottleLimits()
    write_interval_s: float = 0.05
    """A message that a durable session has not acknowledged is on the disk after this time."""
    failed_login_s: float = 1.0
    """A refused login is answered after this time."""
    house_keeping_s: float = 600.0
    follow_users_s: float = 1.0
    """A change of the users file takes effect after this time."""


def broker_limits(settings: Mqtt) -> BrokerLimits:
    return BrokerLimits(
        connection=ConnectionLimits(
            connections=settings.connections,
            packet_bytes=settings.max_message_bytes,
            login_bytes=min(settings.max_message_bytes, ConnectionLimits().login_bytes),
            login_s=settings.login_timeout_s,
        ),
        session=SessionLimits(
            window=settings.inflight_messages,
            memory_messages=max(1, settings.queued_messages // 5),
            memory_bytes=settings.queued_bytes // 8,
        ),
        hub=HubLimits(
            connections_per_user=settings.connections_per_user,
            subscriptions=settings.subscriptions_per_session,
        ),
        log=LogLimits(
            messages=settings.queued_messages,
            bytes=settings.queued_bytes,
            expiry_s=settings.session_expiry_days * DAY_S,
        ),
    )
