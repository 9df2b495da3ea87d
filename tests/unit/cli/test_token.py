from __future__ import annotations

import pytest
import tokens

DEVICE = "70b3d57ed0000001"
APP_KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f1"
NWK_KEY = "1029384756abcdef0123456789abcdee"


@pytest.fixture
def site(bittern, token: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BITTERN_KEYS__PKCS11_MODULE", str(tokens.MODULE))
    monkeypatch.setenv("BITTERN_KEYS__PKCS11_TOKEN", token)
    monkeypatch.setenv("BITTERN_KEYS__PKCS11_PIN", tokens.PIN)
    return bittern


def activation(site):
    async def read(store):
        (device,) = await store.devices()
        return device.activation

    return site.stored(read)


def test_the_key_that_wraps_is_made_once_and_then_serves(site, monkeypatch) -> None:
    assert site.done("token", "init").stderr.endswith(": made\n")
    assert site.done("token", "init").stderr.endswith(": is there already\n")
    monkeypatch.setenv("BITTERN_KEYS__PROVIDER", "pkcs11")
    site.done("device", "add", DEVICE, "--app-key", APP_KEY)
    assert site.done("keys", "status", "--json").json["provider"] == "pkcs11"
    assert not (site.data_dir / "data.key").exists()


def test_a_device_is_added_with_its_keys_in_the_token(site) -> None:
    words = ("--app-key", APP_KEY, "--nwk-key", NWK_KEY, "--version", "1.1", "--keys-in-token")
    site.done("device", "add", DEVICE, *words)
    stored = activation(site)
    assert stored.app_key.reference == f"{DEVICE} AppKey"
    assert stored.nwk_key.reference == f"{DEVICE} NwkKey"
    shown = site.done("device", "show", DEVICE, "--reveal-keys").stdout
    assert shown.count("in the token") == 2
    assert APP_KEY not in shown
    document = site.done("device", "show", DEVICE, "--reveal-keys", "--json").json
    assert document["keys"] == {}
    assert document["keys_in_token"] == ["app_key", "nwk_key"]


def test_generated_keys_are_told_once(site) -> None:
    words = ("--generate-keys", "--keys-in-token", "--json")
    keys = site.done("device", "add", DEVICE, *words).json["keys"]
    assert len(keys["app_key"]) == 32
    assert activation(site).app_key.reference == f"{DEVICE} AppKey"


def test_a_device_that_is_not_added_leaves_nothing_in_the_token(site) -> None:
    site.done("device", "add", DEVICE, "--app-key", APP_KEY)
    refused = site("device", "add", DEVICE, "--app-key", APP_KEY, "--keys-in-token")
    assert refused.exit_code == 1
    assert site("token", "forget", "70b3d57ed0000002").exit_code == 1
    site.done("device", "remove", DEVICE)
    site.done("device", "add", DEVICE, "--app-key", APP_KEY, "--keys-in-token")


def test_a_personalized_device_has_no_root_keys(site) -> None:
    words = ("--dev-addr", "01020304", "--nwk-s-key", APP_KEY, "--app-s-key", NWK_KEY)
    refused = site("device", "add", DEVICE, *words, "--keys-in-token")
    assert refused.exit_code == 2
    assert "--keys-in-token" in refused.stderr


def test_root_keys_of_a_device_move_into_the_token(site) -> None:
    site.done("device", "add", DEVICE, "--app-key", APP_KEY)
    assert "alone" in site.done("token", "import-root", DEVICE).stderr
    assert activation(site).app_key.reference == f"{DEVICE} AppKey"
    assert site("token", "import-root", DEVICE).exit_code == 1


def test_root_keys_go_only_after_their_device(site) -> None:
    site.done("device", "add", DEVICE, "--app-key", APP_KEY, "--keys-in-token")
    refused = site("token", "forget", DEVICE)
    assert refused.exit_code == 1
    assert "remove it first" in refused.stderr
    site.done("device", "remove", DEVICE)
    site.done("token", "forget", DEVICE)
    assert site("token", "forget", DEVICE).exit_code == 1


def test_a_wrong_pin_is_tried_anew_only_by_a_person(site, monkeypatch) -> None:
    monkeypatch.setenv("BITTERN_KEYS__PKCS11_PIN", "0000")
    assert "was refused" in site("token", "init").stderr
    monkeypatch.setenv("BITTERN_KEYS__PKCS11_PIN", tokens.PIN)
    assert "so none is tried" in site("token", "init").stderr
    assert "the PIN is right" in site.done("token", "login").stderr
    site.done("token", "init")


def test_without_a_token_it_says_what_to_set(bittern) -> None:
    refused = bittern("token", "init")
    assert refused.exit_code == 1
    assert "keys.pkcs11_module" in refused.stderr


def test_a_join_server_keeps_its_keys_in_the_token(site) -> None:
    words = ("--app-key", APP_KEY, "--keys-in-token")
    site.done("join-server", "device", "add", DEVICE, *words)
    shown = site.done("join-server", "device", "show", DEVICE, "--reveal-keys").stdout
    assert "in the token" in shown
    assert APP_KEY not in shown


def test_an_export_leaves_out_what_the_token_has(site) -> None:
    site.done("device", "add", DEVICE, "--app-key", APP_KEY, "--keys-in-token")
    exported = site.done("device", "export", "--reveal-keys").stdout
    assert DEVICE in exported
    assert APP_KEY not in exported.lower()
    assert site.done("doctor", "--json").exit_code == 0
