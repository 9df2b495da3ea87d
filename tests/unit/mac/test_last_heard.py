from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.radio import Reception
from bittern.mac.last_heard import GATEWAYS_KEPT, HeardAt, LastHeard, packed, unpacked
from bittern.types import EUI64, GatewayEUI, Instant


def gateway(number: int) -> GatewayEUI:
    return GatewayEUI(EUI64(bytes.fromhex(f"0016c001ff{number:06x}")))


def heard(number: int, rssi_dbm: int = -90, snr_db: float = 7.25) -> Reception:
    return Reception(
        gateway_eui=gateway(number),
        frequency_hz=868_300_000,
        data_rate=5,
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
        received_at=Instant(1_800_000_000.0),
        xtime=1,
        rctx=0,
    )


@pytest.mark.parametrize("fport", [None, 0, 1, 224])
def test_what_was_heard_comes_back(fport: int | None) -> None:
    kept = packed(fport, [heard(1), heard(2, -120, -12.5)])
    assert unpacked(kept) == LastHeard(
        fport=fport,
        data_rate=5,
        frequency_hz=868_300_000,
        gateways=(HeardAt(gateway(1), -90, 7.25), HeardAt(gateway(2), -120, -12.5)),
    )
    assert len(kept) == 6 + 2 * 12


def test_only_so_many_gateways_are_kept() -> None:
    found = unpacked(packed(1, [heard(number) for number in range(20)]))
    assert found is not None
    assert [one.gateway_eui for one in found.gateways] == [
        gateway(number) for number in range(GATEWAYS_KEPT)
    ]


def test_nothing_was_heard() -> None:
    assert unpacked(b"") is None


def test_impossible_figures_of_a_gateway_cost_no_uplink() -> None:
    odd = msgspec.structs.replace(heard(1), rssi_dbm=-(10**9), snr_db=1e9)
    found = unpacked(packed(1, [odd]))
    assert found is not None
    assert (found.gateways[0].rssi_dbm, found.gateways[0].snr_db) == (-0x8000, 327.67)
