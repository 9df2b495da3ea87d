"""What the record of a gateway means to its station."""

from __future__ import annotations

from bittern.gateway.router_config import GatewaySettings, router_config
from bittern.lorawan.regions import plan
from bittern.store.records import Gateway


def settings_of(gateway: Gateway) -> GatewaySettings:
    return GatewaySettings(
        sub_bands=gateway.sub_bands,
        boards=gateway.boards,
        net_id_filters=gateway.net_id_filters,
        join_eui_filters=gateway.join_eui_filters,
        max_eirp_dbm=gateway.max_eirp_dbm,
        station_region=gateway.station_region,
        beacons=gateway.beaconing,
        beacon_data_rate=gateway.beacon_data_rate,
        beacon_frequencies_hz=gateway.beacon_frequencies_hz,
    )


def check_settings(gateway: Gateway) -> None:
    """Raises ValueError for what a station could not be configured with."""
    router_config(plan(gateway.region), settings_of(gateway))
