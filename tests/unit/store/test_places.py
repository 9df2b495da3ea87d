from __future__ import annotations

from bittern.store import places

EUI = bytes(range(8))


def test_every_place_names_its_table_and_column() -> None:
    every = [
        places.of_session_keys(EUI, 1),
        places.of_activation("1", EUI),
        places.of_downlink(EUI, "m"),
        places.of_outbox("1", EUI, "m", "plant"),
        places.of_lane_message("1", EUI, "m", "lane"),
        places.of_dead_letter("1", EUI, 7, "m", "lane"),
        places.of_actions("1", "rule"),
        places.of_access_secret("1", "AKIA"),
        places.of_note("1", "tags", "x"),
    ]
    assert len({place.now.partition(":")[0] for place in every}) == len(every)
    assert all("." in place.now.partition(":")[0] for place in every)


def test_a_place_of_an_account_is_no_other_accounts() -> None:
    assert places.of_activation("1", EUI).now != places.of_activation("2", EUI).now
    assert places.of_outbox("1", EUI, "m", "d").now != places.of_outbox("2", EUI, "m", "d").now


def test_an_earlier_version_named_less() -> None:
    assert places.of_activation("1", EUI).formerly == "device.activation:0001020304050607"
    assert places.of_lane_message("1", EUI, "m", "lane").formerly == "lane_message.document:lane:m"
    assert places.of_actions("1", "rule").formerly is None
