"""``/router-info``: a station asks where to connect, and is told where, or why not.

Who may is decided by `admission`, here and once more when the data connection opens.
"""

from __future__ import annotations

import msgspec

from bittern.errors import GatewayProtocolError
from bittern.gateway.eui_text import format_id6, parse_eui
from bittern.gateway.lns_messages import UNREADABLE
from bittern.types import EUI64, GatewayEUI, Refusal

PATH = "/router-info"
STATION_URI_LIMIT = 127
"""Characters that a station takes of a URI."""


class _Request(msgspec.Struct):
    router: str | int


class _Answer(msgspec.Struct, omit_defaults=True):
    router: str
    muxs: str | None = None
    uri: str | None = None
    error: str | None = None


_decoder = msgspec.json.Decoder(_Request)
_encoder = msgspec.json.Encoder()


def read_request(message: str | bytes) -> GatewayEUI:
    """Which gateway asks.

    Raises GatewayProtocolError, with MALFORMED_GATEWAY_EUI where only the EUI is at fault.
    """
    try:
        router = _decoder.decode(message).router
    except UNREADABLE as error:
        raise GatewayProtocolError(f"discovery request: {error}") from None
    try:
        return GatewayEUI(EUI64.from_int(router) if isinstance(router, int) else parse_eui(router))
    except (ValueError, OverflowError) as error:
        refusal = Refusal.MALFORMED_GATEWAY_EUI
        raise GatewayProtocolError(f"discovery request: {error}", refusal) from None


def data_path(gateway_eui: GatewayEUI) -> str:
    """Path of the gateway's data connection."""
    return f"/gateway/{gateway_eui}"


def gateway_of_path(path: str) -> GatewayEUI | None:
    """The reverse of `data_path`; None for any other path."""
    prefix, _, text = path.rpartition("/")
    if prefix != "/gateway":
        return None
    try:
        return GatewayEUI(parse_eui(text))
    except ValueError:
        return None


def accepting_answer(gateway_eui: GatewayEUI, server_uri: str) -> str:
    """``server_uri`` is ``wss://NAME:PORT``. Raises ValueError if it is too long for a station."""
    uri = server_uri + data_path(gateway_eui)
    if len(uri) > STATION_URI_LIMIT:
        raise ValueError(f"a station takes {STATION_URI_LIMIT} characters of a URI: {uri}")
    return _encode(_Answer(router=format_id6(gateway_eui), muxs="::0", uri=uri))


def refusing_answer(gateway_eui: GatewayEUI | None, reason: str) -> str:
    """Text of the refusal; None where not even the EUI could be read."""
    return _encode(_Answer(router=format_id6(gateway_eui) if gateway_eui else "::0", error=reason))


def _encode(answer: _Answer) -> str:
    return _encoder.encode(answer).decode()
