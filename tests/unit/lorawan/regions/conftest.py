"""Regions as text, in the form in which the tests have the tables of RP002."""

from __future__ import annotations

import pytest

from bittern.lorawan.regions.plan import Plan
from bittern.lorawan.regions.tables import DataRate


class Told:
    def data_rates(self, plan: Plan, *, dwell: bool = False) -> str:
        """Index, direction, modulation, SF, kHz, coding rate or bit rate, N plain and repeater."""
        return "\n".join(
            f"{dr} {_direction(row)} {_rate(row)}"
            f" {plan.max_payload_size(dr, dwell=dwell)}"
            f" {plan.max_payload_size(dr, dwell=dwell, repeater=True)}"
            for dr, row in sorted(plan.data_rates.items())
        )

    def rx1(self, plan: Plan, *, dwell: bool = False) -> str:
        """Uplink data rate, then the downlink's by RX1DROffset; what has none is left out."""
        rows = {
            uplink: [plan.rx1_data_rate(uplink, i, downlink_dwell=dwell) for i in range(16)]
            for uplink in range(16)
        }
        return "\n".join(
            " ".join(map(str, [uplink, *(dr for dr in row if dr is not None)]))
            for uplink, row in rows.items()
            if row[0] is not None
        )

    def powers(self, plan: Plan) -> list[float]:
        """EIRP by TXPower."""
        found = (plan.tx_power_dbm(index) for index in range(16))
        return [round(power, 2) for power in found if power is not None]

    def station(self, plan: Plan) -> str:
        """``DRs``."""
        return " ".join(f"{sf}/{khz}/{only}" for sf, khz, only in plan.station_data_rates)


def _direction(row: DataRate) -> str:
    return {(True, True): "both", (True, False): "up", (False, True): "down"}[
        row.uplink, row.downlink
    ]


def _rate(row: DataRate) -> str:
    match row.modulation:
        case "LORA":
            return f"SF{row.spreading_factor}/{row.bandwidth_khz}"
        case "FSK":
            return f"FSK/{row.bit_rate}"
        case _:
            return f"LR-FHSS/{row.bandwidth_khz}/{row.coding_rate}/{row.bit_rate}"


@pytest.fixture
def told() -> Told:
    return Told()
