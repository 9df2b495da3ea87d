"""What the record of a gateway means to its station."""

from __future__ import annotations

import pytest

from bittern.store.gateway_settings import check_settings, settings_of
from bittern.store.records import Gateway
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016c001ff10a235"))
NOW = Instant(1_750_000_000.0)


def test_a_gateways_record_has_what_its_configuration_needs() -> None:
    gateway = Gateway(
        id="g",
        gateway_eui=EUI,
        sub_bands=(1,),
        boards=2,
        net_id_filters=(2,),
        join_eui_filters=((3, 4),),
        max_eirp_dbm=5,
        station_region="EU863",
        created_at=NOW,
    )
    settings = settings_of(gateway)
    assert settings.sub_bands == (1,)
    assert settings.boards == 2
    assert settings.net_id_filters == (2,)
    assert settings.join_eui_filters == ((3, 4),)
    assert settings.max_eirp_dbm == 5
    assert settings.station_region == "EU863"


def test_beacons_are_sent_as_the_record_says() -> None:
    gateway = Gateway(
        id="g",
        gateway_eui=EUI,
        beacon_data_rate=2,
        beacon_frequencies_hz=(868_100_000, 869_525_000),
        created_at=NOW,
    )
    settings = settings_of(gateway)
    assert settings.beacons
    assert settings.beacon_data_rate == 2
    assert settings.beacon_frequencies_hz == (868_100_000, 869_525_000)


def test_what_no_station_can_do_is_refused() -> None:
    gateway = Gateway(id="g", gateway_eui=EUI, beacon_data_rate=7, created_at=NOW)
    with pytest.raises(ValueError, match="no beacon can be sent at data rate 7"):
        check_settings(gateway)
