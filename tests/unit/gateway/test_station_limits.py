import pytest

from bittern.gateway.station_limits import Pause, pause_after


@pytest.mark.parametrize(
    ("frequency_hz", "factor"),
    [
        (868_100_000, 100),
        (868_600_000, 100),
        (869_525_000, 10),
        (869_850_000, 100),
        (867_100_000, 1000),
        (868_800_000, 1000),
    ],
)
def test_eu868_has_three_bands_and_867_mhz_is_in_the_strictest(
    frequency_hz: int, factor: int
) -> None:
    pause = pause_after("EU868", frequency_hz)
    assert pause is not None
    assert pause.factor == factor
    assert pause_after("EU863", frequency_hz) == pause


def test_channels_of_a_band_pause_together() -> None:
    assert pause_after("EU868", 868_100_000) == pause_after("EU868", 868_500_000)
    assert pause_after("EU868", 868_100_000) != pause_after("EU868", 869_525_000)


def test_in_korea_and_japan_each_channel_pauses_by_itself() -> None:
    assert pause_after("KR920", 922_100_000) == Pause(922_100_000, 50)
    assert pause_after("AS923-1", 923_200_000) == Pause(923_200_000, 10)


@pytest.mark.parametrize("region", ["US915", "AU915", "IL915"])
def test_elsewhere_there_is_no_pause(region: str) -> None:
    assert pause_after(region, 923_300_000) is None
