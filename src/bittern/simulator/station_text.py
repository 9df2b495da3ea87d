"""How a station writes frames, EUIs and URIs in its messages."""

from __future__ import annotations

from typing import Any

from bittern.types import EUI64


def data_fields(phy: bytes) -> dict[str, Any]:
    """A data frame taken apart as a station does."""
    end = 8 + (phy[5] & 0x0F)
    has_port = end < len(phy) - 4
    return {
        "msgtype": "updf",
        "MHdr": phy[0],
        "DevAddr": signed(phy[1:5]),
        "FCtrl": phy[5],
        "FCnt": phy[6] | phy[7] << 8,
        "FOpts": phy[8:end].hex().upper(),
        "FPort": phy[end] if has_port else -1,
        "FRMPayload": phy[end + 1 : -4].hex().upper() if has_port else "",
        "MIC": signed(phy[-4:]),
    }


def id6(eui: EUI64) -> str:
    """The EUI as the station writes it for itself: ``16:c001:ff00:1``."""
    a, b, c, d = (f"{int(eui.hex()[i : i + 4], 16):x}" for i in (0, 4, 8, 12))
    zero = "".join("0" if group == "0" else "x" for group in (a, b, c, d))
    match zero:
        case "0000" | "000x":
            return f"::{d}"
        case "00xx" | "00x0":
            return f"::{c}:{d}"
        case "x000":
            return f"{a}::"
        case "xx00" | "0x00":
            return f"{a}:{b}::"
        case "x00x":
            return f"{a}::{d}"
        case _:
            return f"{a}:{b}:{c}:{d}"


def data_uri(uri: str) -> str | None:
    """The URI, if it has scheme, port and path and at most 127 characters, or ``None``."""
    scheme, separator, rest = uri.partition("://")
    host, slash, _ = rest.partition("/")
    good = scheme in ("ws", "wss") and separator and slash and host.rpartition(":")[2].isdigit()
    return uri if good and len(uri) <= 127 else None


def signed(wire: bytes) -> int:
    return int.from_bytes(wire, "little", signed=True)


def dashed(eui: bytes) -> str:
    return eui.hex("-").upper()
