from __future__ import annotations

from pathlib import Path

from bittern.config.layout import Layout


def test_everything_lies_in_the_data_directory_each_in_its_own_place() -> None:
    layout = Layout(Path("/srv/bittern"))
    places = [
        layout.database,
        layout.data_key,
        layout.pki,
        layout.mqtt_password,
        layout.feed_socket,
        layout.control_socket,
    ]
    assert all(place.is_relative_to(layout.data_dir) for place in places)
    assert len(set(places)) == len(places)
