from __future__ import annotations

from pathlib import Path

import pytest

from bittern.config import Api, Aws, Configuration, Keys, Lns, Mqtt, Network, Secret, Server
from bittern.config.contradictions import contradictions
from bittern.config.settings import JoinServer


def found(**sections: object) -> list[tuple[str, str]]:
    return list(contradictions(Configuration(**sections)))  # type: ignore[arg-type]


def test_the_defaults_agree() -> None:
    assert found() == []


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "::1", "localhost", "127.0.0.1"])
def test_an_address_may_be_listened_on(bind: str) -> None:
    assert found(server=Server(bind=bind)) == []


def test_a_name_is_not_an_address_to_listen_on() -> None:
    assert found(server=Server(bind="lns.example.com")) == [
        ("server.bind", "not an IP address of this machine: 'lns.example.com'")
    ]
    assert found(lns=Lns(host="everywhere"))[0][0] == "lns.host"


def test_two_listeners_do_not_share_a_port() -> None:
    assert found(api=Api(port=8887)) == [("lns.port", "8887 is already the port of api")]


def test_two_listeners_share_a_port_at_two_addresses() -> None:
    assert found(api=Api(port=8887, host="127.0.0.2")) == []


def test_any_number_of_listeners_take_a_free_port() -> None:
    assert found(api=Api(port=0), lns=Lns(port=0)) == []


def test_the_port_of_a_broker_that_is_not_started_is_free() -> None:
    assert found(api=Api(port=1883), mqtt=Mqtt(url="mqtt://broker")) == []


def test_a_file_of_authorities_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    assert found(aws=Aws(ca=path)) == [("aws.ca", f"file not found: {path}")]
    path.touch()
    assert found(aws=Aws(ca=path)) == []


def test_the_certificate_of_the_api_has_a_key_and_is_for_tls(tmp_path: Path) -> None:
    file = tmp_path / "x.pem"
    what = "absent: api.certificate and api.key need each other"
    assert found(api=Api(tls=True, key=file, certificate=file)) == [
        ("api.certificate", f"file not found: {file}"),
        ("api.key", f"file not found: {file}"),
    ]
    file.touch()
    assert found(api=Api(tls=True, certificate=file)) == [("api.key", what)]
    assert found(api=Api(tls=True, key=file)) == [("api.certificate", what)]
    assert found(api=Api(key=file, certificate=file)) == [
        ("api.tls", "false, though there is api.certificate")
    ]
    assert found(api=Api(tls=True, key=file, certificate=file)) == []


def test_certificate_and_key_need_each_other(tmp_path: Path) -> None:
    file = tmp_path / "x.pem"
    file.touch()
    what = "absent: mqtt.certificate and mqtt.key need each other"
    assert found(mqtt=Mqtt(certificate=file)) == [("mqtt.key", what)]
    assert found(mqtt=Mqtt(key=file)) == [("mqtt.certificate", what)]
    assert found(mqtt=Mqtt(key=file, certificate=file)) == []


def test_files_must_be_there(tmp_path: Path) -> None:
    absent = tmp_path / "absent.pem"
    assert found(mqtt=Mqtt(ca=absent)) == [("mqtt.ca", f"file not found: {absent}")]


def test_a_password_needs_a_name() -> None:
    assert found(mqtt=Mqtt(password=Secret("x"))) == [
        ("mqtt.username", "absent, though there is a password")
    ]


@pytest.mark.parametrize("url", ["mqtt://broker", "mqtts://broker.example:8883", "mqtt://[::1]:1"])
def test_a_broker_is_named_by_scheme_host_and_port(url: str) -> None:
    assert found(mqtt=Mqtt(url=url)) == []


@pytest.mark.parametrize(
    "url",
    ["broker:1883", "http://broker", "mqtt://", "mqtt://broker:99999", "mqtt://broker/topic"],
)
def test_any_other_url_is_not_a_broker(url: str) -> None:
    assert [where for where, _ in found(mqtt=Mqtt(url=url))] == ["mqtt.url"]


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    ((where, what),) = found(mqtt=Mqtt(url="mqtt://me:hunter2@broker"))
    assert where == "mqtt.url"
    assert "hunter2" not in what


def test_discovery_uri_is_one_that_a_station_takes() -> None:
    assert found(lns=Lns(uri="wss://lns.example.com:443")) == []


@pytest.mark.parametrize(
    "uri",
    [
        "wss://lns.example.com",
        "ws://lns.example.com:80",
        "wss://lns.example.com:443/path",
        f"wss://{'a' * 90}.example:443",
        "lns.example.com:443",
    ],
)
def test_any_other_discovery_uri_is_refused(uri: str) -> None:
    assert [where for where, _ in found(lns=Lns(uri=uri))] == ["lns.uri"]


def test_an_unknown_region_is_told_what_there_is() -> None:
    ((where, what),) = found(network=Network(region="MARS"))
    assert where == "network.region"
    assert "EU868" in what


def test_broker_beyond_loopback_wants_tls_or_a_word_of_consent() -> None:
    ((where, what),) = found(mqtt=Mqtt(host="0.0.0.0"))
    assert where == "mqtt.host"
    assert "mqtt.tls_port" in what
    assert found(mqtt=Mqtt(host="0.0.0.0", tls_port=8883)) == []
    assert found(mqtt=Mqtt(host="0.0.0.0", allow_plain=True)) == []
    assert found(mqtt=Mqtt(host="127.0.0.2")) == []


def test_join_servers_have_files_and_ranges_that_can_be(tmp_path: Path) -> None:
    path = tmp_path / "nowhere"
    settings = JoinServer(trust=path, uris={"00000000000000ff-0000000000000001": "https://x"})
    assert found(join_server=settings) == [
        ("join_server.trust", f"file not found: {path}"),
        ("join_server.uris", "00000000000000ff is behind 0000000000000001"),
    ]
    assert found(join_server=JoinServer(uri="https://x", host="127.0.0.2")) == []
    ((where, _),) = found(join_server=JoinServer(host="js.example"))
    assert where == "join_server.host"


def test_tls_port_of_the_broker_is_nobody_elses() -> None:
    assert found(mqtt=Mqtt(tls_port=8443)) == [
        ("mqtt.tls_port", "8443 is already the port of cups")
    ]
    assert found(mqtt=Mqtt(tls_port=1883)) == [
        ("mqtt.tls_port", "1883 is already the port of mqtt")
    ]


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        (Keys(provider="aws-kms"), ["keys.kms_key"]),
        (Keys(provider="vault-transit"), ["keys.vault_url", "keys.vault_token_file"]),
        (Keys(provider="pkcs11"), ["keys.pkcs11_module", "keys.pkcs11_token"]),
    ],
)
def test_a_key_provider_says_what_it_needs(keys: Keys, where: list[str]) -> None:
    assert [path for path, _ in found(keys=keys)] == where


def test_a_login_to_vault_is_a_token_or_an_app_role(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    role = Keys(vault_role_id_file=file)
    assert found(keys=role) == [
        ("keys.vault_secret_id_file", "absent: an AppRole is two files"),
    ]
    both = Keys(vault_role_id_file=file, vault_secret_id_file=file, vault_token_file=file)
    assert found(keys=both) == [("keys.vault_token_file", "a token or an AppRole, not both")]
    missing = tmp_path / "missing"
    assert found(keys=Keys(vault_token_file=missing)) == [
        ("keys.vault_token_file", f"file not found: {missing}")
    ]


@pytest.mark.parametrize("name", ["vault_url", "kms_endpoint"])
def test_data_keys_cross_no_network_in_the_clear(name: str) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert found(keys=Keys(**{name: f"http://{host}:8200"})) == []
    assert found(keys=Keys(**{name: "https://keys.example"})) == []
    assert found(keys=Keys(**{name: "http://keys.example"})) == [
        (f"keys.{name}", "expected https://, as it is not on this machine")
    ]
