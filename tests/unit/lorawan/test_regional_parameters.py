from __future__ import annotations

import pytest

from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.versions import MacVersion

R = RegionalParameters


@pytest.mark.parametrize(
    ("text", "revision"),
    [
        ("RP002-1.0.1", R.RP002_1_0_1),
        ("rp002-1.0.4", R.RP002_1_0_4),
        ("RP002_1_0_3", R.RP002_1_0_3),
        ("RP002 v1.0.2", R.RP002_1_0_2),
        ("RP2-1.0.1", R.RP002_1_0_1),
        ("RP002-1.0", R.RP002_1_0_0),
        ("RP002_V1_0_4", R.RP002_1_0_4),
        ("RP002-1.0.1 ", R.RP002_1_0_1),
        ("RP002-1.0.0 LoRaWAN Regional Parameters", R.RP002_1_0_0),
        ("LoRaWAN Regional Parameters RP002-1.0.2", R.RP002_1_0_2),
        ("RP001 1.0.2 rev B", R.RP001_1_0_2_REV_B),
        ("RP001-1.0.2B", R.RP001_1_0_2_REV_B),
        ("RP001_V1_0_2_REV_B", R.RP001_1_0_2_REV_B),
        ("PHY_V1_0_2_REV_A", R.RP001_1_0_2),
        ("RP001-1.0.2", R.RP001_1_0_2),
        ("1.0.2", R.RP001_1_0_2),
        ("1.0.2rB", R.RP001_1_0_2_REV_B),
        ("v1.0.2 Revision B", R.RP001_1_0_2_REV_B),
        ("Regional Parameters v1.1rA", R.RP001_1_1_REV_A),
        ("LoRaWAN Regional Parameters v1.0.2rB", R.RP001_1_0_2_REV_B),
        ("LoRaWAN 1.1 Regional Parameters", R.RP001_1_1_REV_B),
        ("LoRaWAN 1.0.3 Regional Parameters rev. A", R.RP001_1_0_3_REV_A),
        ("RP001-1.1", R.RP001_1_1_REV_B),
        ("1.1.0revb", R.RP001_1_1_REV_B),
        ("1.0.3revA", R.RP001_1_0_3_REV_A),
        ("1.0.3", R.RP001_1_0_3_REV_A),
        ("RP001_V1_0_3_REV_A", R.RP001_1_0_3_REV_A),
        ("TS001_V1_0_1", R.TS001_1_0_1),
        ("TS001-1.0", R.TS001_1_0_0),
        ("1.0.1", R.TS001_1_0_1),
        ("1.0.4", R.RP002_1_0_4),
    ],
)
def test_revisions_are_read_as_people_write_them(text: str, revision: RegionalParameters) -> None:
    assert RegionalParameters.parse(text) is revision


def test_every_revision_reads_its_own_text() -> None:
    for revision in RegionalParameters:
        assert RegionalParameters.parse(str(revision)) is revision
        assert RegionalParameters.parse(revision.name) is revision


@pytest.mark.parametrize(
    ("text", "version", "revision"),
    [
        ("A", MacVersion.LORAWAN_1_0_2, R.RP001_1_0_2),
        ("B", MacVersion.LORAWAN_1_0_2, R.RP001_1_0_2_REV_B),
        ("a", MacVersion.LORAWAN_1_0_3, R.RP001_1_0_3_REV_A),
        ("Rev A", MacVersion.LORAWAN_1_1, R.RP001_1_1_REV_A),
        ("B", MacVersion.LORAWAN_1_1, R.RP001_1_1_REV_B),
        ("RP002-1.0.1", MacVersion.LORAWAN_1_1, R.RP002_1_0_1),
    ],
)
def test_a_letter_is_a_revision_of_the_devices_version(
    text: str, version: MacVersion, revision: RegionalParameters
) -> None:
    assert RegionalParameters.parse(text, version) is revision


def test_a_letter_alone_says_too_little() -> None:
    with pytest.raises(ValueError, match=r"does not say of which version; .*RP002-1\.0\.4"):
        RegionalParameters.parse("B")


@pytest.mark.parametrize(
    "text",
    [
        *("", "RP002", "RP003-1.0.0", "RP002-1.0.9", "RP002-1.0.5", "RP002-2.0.0", "1.0.5", "2.0"),
        *("RP001-1.0.4", "RP001-1.0.1", "TS001-1.0.3", "1.0.2revC", "1.0.3revB", "1.1.1", "EU868"),
        *("RP002-1.0.1-RevA", "1.0.2.1", "RP002-1.0.1 and more", "RP0002-"),
    ],
)
def test_what_is_no_revision_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"there are .*TS001-1\.0\.0.*RP001-1\.0\.2.*RP002-1\.0\.4"
    ):
        RegionalParameters.parse(text)


def test_a_letter_of_a_version_that_had_none_is_refused() -> None:
    with pytest.raises(ValueError, match="there are no regional parameters B"):
        RegionalParameters.parse("B", MacVersion.LORAWAN_1_0_4)


def test_revisions_come_in_the_order_of_their_publication() -> None:
    assert R.RP001_1_1_REV_B.published_until(R.RP001_1_0_3_REV_A)
    assert R.RP002_1_0_1.published_until(R.RP002_1_0_1)
    assert not R.RP002_1_0_0.published_until(R.RP001_1_0_3_REV_A)
