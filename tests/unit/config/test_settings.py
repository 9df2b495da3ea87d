from __future__ import annotations

import msgspec
import pytest

from bittern.config import Configuration, Lns, Secret, Server
from bittern.config.settings import SECTIONS, settings
from bittern.types import NetID


def test_default_ports_are_those_that_people_expect() -> None:
    configuration = Configuration()
    assert configuration.api.port == 8080
    assert configuration.lns.port == 8887
    assert configuration.cups.port == 8443
    assert configuration.mqtt.port == 1883


def test_everything_listens_on_loopback_unless_told_otherwise() -> None:
    configuration = Configuration()
    listeners = (configuration.api, configuration.lns, configuration.cups, configuration.mqtt)
    assert {configuration.host_of(listener) for listener in listeners} == {"127.0.0.1"}


def test_a_listener_may_have_an_address_of_its_own() -> None:
    configuration = Configuration(server=Server(bind="::1"), lns=Lns(host="0.0.0.0"))
    assert configuration.host_of(configuration.lns) == "0.0.0.0"
    assert configuration.host_of(configuration.api) == "::1"


def test_default_network_is_private() -> None:
    assert Configuration().network.net_id == NetID.from_hex("000000")


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Configuration().lns.port = 1  # type: ignore[misc]


def test_every_section_has_its_settings() -> None:
    paths = settings()
    assert "data_dir" in paths
    for section, kind in SECTIONS.items():
        for field in msgspec.structs.fields(kind):
            assert f"{section}.{field.name}" in paths


def test_a_setting_names_its_environment_variable() -> None:
    known = settings()
    assert known["lns.port"].variable == "BITTERN_LNS__PORT"
    assert known["data_dir"].variable == "BITTERN_DATA_DIR"


def test_only_the_password_the_key_and_the_pin_are_secrets() -> None:
    secrets = [path for path, setting in settings().items() if setting.is_secret]
    assert secrets == ["mqtt.password", "keys.secret", "keys.pkcs11_pin"]


def test_a_secret_does_not_print() -> None:
    secret = Secret("correct horse")
    assert "horse" not in f"{secret!r} {secret}"
    assert secret.expose() == "correct horse"
