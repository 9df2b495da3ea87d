"""Which regions a device can be simulated in."""

from __future__ import annotations

from bittern.simulator.regions.as923 import AS923_1, AS923_2, AS923_3, AS923_4
from bittern.simulator.regions.dynamic import CN779, EU433, EU868, IN865, KR920, RU864
from bittern.simulator.regions.fixed import AU915, US915
from bittern.simulator.regions.shape import DeviceRegion

_REGIONS = {
    region.name: region
    for region in (
        *(AS923_1, AS923_2, AS923_3, AS923_4),
        *(AU915, CN779, EU433, EU868, IN865, KR920, RU864, US915),
    )
}


def region_names() -> tuple[str, ...]:
    """In alphabetical order."""
    return tuple(sorted(_REGIONS))


def device_region(name: str) -> DeviceRegion:
    """The region of that name. Raises ``ValueError`` with the known names."""
    try:
        return _REGIONS[name]
    except KeyError:
        known = ", ".join(region_names())
        raise ValueError(f"no simulated device for region {name!r}; known: {known}") from None
