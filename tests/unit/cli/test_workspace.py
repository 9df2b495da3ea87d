from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bittern.cli.workspace import Workspace
from bittern.errors import ConfigurationError
from bittern.servers.local_socket import reachable


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BITTERN_DATA_DIR", raising=False)


def test_data_lie_in_data_of_the_current_folder(tmp_path: Path) -> None:
    assert Workspace.of(None, None).layout.data_dir == tmp_path / "data"


def test_option_wins_over_environment_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "bittern.toml"
    config.write_text('data_dir = "of-the-file"\n')
    assert Workspace.of(None, config).layout.data_dir == tmp_path / "of-the-file"
    monkeypatch.setenv("BITTERN_DATA_DIR", "of-the-environment")
    assert Workspace.of(None, config).layout.data_dir == tmp_path / "of-the-environment"
    option = Path("of-the-option")
    assert Workspace.of(option, config).layout.data_dir == tmp_path / "of-the-option"


def test_configuration_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "bittern.toml"
    config.write_text("[lns]\nport = 'x'\n")
    with pytest.raises(ConfigurationError, match=r"lns\.port"):
        Workspace.of(None, config)


async def test_store_is_made_only_by_who_adds_something(tmp_path: Path) -> None:
    workspace = Workspace.of(None, None)
    with pytest.raises(ConfigurationError, match="nothing of bittern"):
        async with workspace.store():
            pass
    async with workspace.store(make=True) as store:
        assert await store.devices() == []
    async with workspace.store() as store:
        assert await store.devices() == []


def test_cups_is_reached_by_name_and_port_or_by_what_is_configured(tmp_path: Path) -> None:
    config = tmp_path / "bittern.toml"
    assert Workspace.of(None, None).cups_uri() == "https://localhost:8443"
    config.write_text('[server]\nnames = ["a.example", "b.example"]\n[cups]\nport = 1\n')
    assert Workspace.of(None, config).cups_uri() == "https://a.example:1"
    config.write_text('[cups]\nuri = "https://c.example:2"\nport = 0\n')
    assert Workspace.of(None, config).cups_uri() == "https://c.example:2"
    config.write_text("[cups]\nport = 0\n")
    with pytest.raises(ConfigurationError, match="--cups-uri"):
        Workspace.of(None, config).cups_uri()


def test_the_api_is_reached_by_name_and_port(tmp_path: Path) -> None:
    config = tmp_path / "bittern.toml"
    assert Workspace.of(None, None).api_uri() == "http://localhost:8080"
    config.write_text('[server]\nnames = ["a.example"]\n[api]\nport = 1\ntls = true\n')
    assert Workspace.of(None, config).api_uri() == "https://a.example:1"
    config.write_text("[api]\nport = 0\n")
    assert Workspace.of(None, config).api_uri() is None


def test_server_is_noticed_by_its_socket(tmp_path: Path) -> None:
    workspace = Workspace.of(tmp_path / "data", None)
    assert not workspace.is_served()
    path = workspace.layout.feed_socket
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening, reachable(path) as name:
        listening.bind(name)
        assert not workspace.is_served()
        listening.listen()
        assert workspace.is_served()
