from __future__ import annotations

from pathlib import Path


def test_a_networks_data_directory_takes_no_root_keys_of_a_join_server(bittern) -> None:
    """They would be in the hands that they are to be kept from."""
    bittern.done("device", "add", "70b3d57ed0000001", "--join-server")
    key = ("--app-key", "0123456789abcdef0123456789abcdef")
    refused = bittern("join-server", "device", "add", "70b3d57ed0000001", *key)
    assert refused.exit_code == 1
    assert "is a network server's; name another" in refused.stderr


def test_a_data_directory_that_is_not_there_is_a_mistake(bittern, tmp_path: Path) -> None:
    refused = bittern("join-server", "device", "list")
    assert refused.exit_code == 1
    assert "nothing of bittern in" in refused.stderr
