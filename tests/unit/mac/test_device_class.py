import pytest

from bittern.lorawan.radio import Reception
from bittern.lorawan.versions import MacVersion
from bittern.mac.device_class import (
    GATEWAYS_KEPT,
    device_class,
    heard,
    listens_between_uplinks,
    response_timeout_s,
)
from bittern.mac.session import HeardBy
from bittern.store.records import DeviceProfile
from bittern.testing import examples
from bittern.types import EUI64, GatewayEUI

V1_0_3, V1_1 = MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_1


def profile(*, b: bool = False, c: bool = False) -> DeviceProfile:
    return DeviceProfile(id="p", supports_class_b=b, supports_class_c=c)


@pytest.mark.parametrize(
    ("version", "told", "b", "c", "expected"),
    [
        (V1_0_3, "A", False, False, "A"),
        (V1_0_3, "A", False, True, "C"),
        (V1_0_3, "A", True, False, "A"),
        (V1_0_3, "B", True, False, "B"),
        (V1_0_3, "B", True, True, "B"),
        (V1_0_3, "B", False, False, "A"),
        (V1_1, "A", False, True, "A"),
        (V1_1, "C", False, True, "C"),
        (V1_1, "C", False, False, "A"),
    ],
)
def test_the_device_decides_within_its_profile(version, told, b, c, expected):
    session = examples.session(mac_version=version, device_class=told)
    assert device_class(session, profile(b=b, c=c)) == expected


def test_a_session_that_was_not_used_yet_is_in_class_a():
    assert device_class(examples.session(pending=True), profile(c=True)) == "A"


@pytest.mark.parametrize(("b", "c"), [(False, False), (True, False), (False, True)])
def test_only_devices_of_class_b_and_c_listen_between_uplinks(b, c):
    assert listens_between_uplinks(profile(b=b, c=c)) is (b or c)


def reception(number: int, gps_time_us: int | None = None) -> Reception:
    eui = GatewayEUI(EUI64.from_int(number))
    return Reception(eui, 868_100_000, 5, -80, 9.0 - number, examples.NOW, 1, 7, gps_time_us)


def test_who_heard_the_device_is_remembered_the_best_first():
    session = heard(examples.session(), [reception(1, 5), reception(2)])
    assert session.heard_by == (
        HeardBy(GatewayEUI(EUI64.from_int(1)), 8.0, 7, True),
        HeardBy(GatewayEUI(EUI64.from_int(2)), 7.0, 7, False),
    )
    assert session.revision == examples.session().revision


def test_a_crowd_is_not_remembered():
    session = heard(examples.session(), [reception(number) for number in range(20)])
    assert [int(by.gateway_eui) for by in session.heard_by] == list(range(GATEWAYS_KEPT))


@pytest.mark.parametrize(("in_class", "seconds"), [("B", 20), ("A", 30)])
def test_the_profile_says_how_long_an_acknowledgement_may_take(in_class, seconds):
    of_both = DeviceProfile(
        id="p",
        supports_class_b=True,
        supports_class_c=True,
        class_b_timeout_s=20,
        class_c_timeout_s=30,
    )
    assert response_timeout_s(examples.session(device_class=in_class), of_both) == seconds
