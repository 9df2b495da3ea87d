"""Whatever a station sends, the connection answers with events or ends with a reason."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bittern.errors import GatewayProtocolError
from bittern.gateway.discovery import read_request
from bittern.gateway.lns import LnsConnection, LnsLimits, UplinkReceived
from bittern.gateway.lns_messages import STATION_MSGTYPES
from bittern.gateway.router_config import GatewaySettings, router_config
from bittern.lorawan.regions import plan
from bittern.types import EUI64, GatewayEUI, Instant

GATEWAY = GatewayEUI(EUI64(bytes(8)))
CONFIG = router_config(plan("EU868"), GatewaySettings())
NOW = Instant(1_763_690_000.0)

UPDF: dict[str, object] = {
    "msgtype": "updf",
    "MHdr": 64,
    "DevAddr": 1,
    "FCtrl": 0,
    "FCnt": 2,
    "FOpts": "",
    "FPort": 1,
    "FRMPayload": "00",
    "MIC": 3,
    "DR": 5,
    "Freq": 868100000,
    "upinfo": {"rctx": 0, "xtime": 1, "gpstime": 0, "fts": -1, "rssi": -35, "snr": 9},
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from([*UPDF, "JoinEui", "DevEui", "DevNonce", "station", "diid", "txtime", "text"]),
    VALUES | st.integers(0, 255) | st.text("0123456789abcdefABCDEF-:", max_size=24),
    max_size=6,
)


def connection() -> LnsConnection:
    lns = LnsConnection(GATEWAY, CONFIG, NOW, LnsLimits(malformed_per_minute=1))
    lns.receive('{"msgtype":"version","station":"2.0.6"}', NOW)
    return lns


def survives(lns: LnsConnection, message: str | bytes) -> None:
    try:
        events = lns.receive(message, NOW)
    except GatewayProtocolError as error:
        assert error.reason
        return
    for event in events:
        if isinstance(event, UplinkReceived):
            assert len(event.phy_payload) <= 255
    assert all(isinstance(json.loads(text), dict) for text in lns.text_to_send())


@given(st.text() | st.binary())
def test_any_frame_is_survived(message: str | bytes) -> None:
    lns = connection()
    survives(lns, message)
    survives(lns, message)


@given(st.sampled_from(sorted(STATION_MSGTYPES)), FIELDS)
@settings(max_examples=300)
def test_any_message_of_the_protocols_types_is_survived(
    msgtype: str, fields: dict[str, object]
) -> None:
    survives(connection(), json.dumps(UPDF | fields | {"msgtype": msgtype}))


@given(st.text() | st.binary() | VALUES.map(lambda value: json.dumps({"router": value})))
def test_any_discovery_request_names_a_gateway_or_is_refused(message: str | bytes) -> None:
    try:
        assert isinstance(read_request(message), EUI64)
    except GatewayProtocolError as error:
        assert error.reason
