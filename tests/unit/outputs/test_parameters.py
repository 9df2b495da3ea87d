from __future__ import annotations

import os
from pathlib import Path

import pytest
import trustme

from bittern.errors import DeliveryUnavailable
from bittern.outputs.parameters import (
    Form,
    HeaderForm,
    TlsForm,
    check_file,
    check_tls,
    check_variable,
    filled,
    headers_of,
    read,
    read_secret,
    secret_file,
    templates,
    tls_context,
)
from bittern.outputs.port import Message


class Letter(Form, frozen=True, kw_only=True):
    to_whom: str
    headers: tuple[HeaderForm, ...] = ()


def test_parameters_have_the_names_of_aws() -> None:
    found = read({"toWhom": "x", "roleArn": "arn", "headers": [{"key": "a", "value": "b"}]}, Letter)
    assert found == Letter(to_whom="x", role_arn="arn", headers=(HeaderForm("a", "b"),))


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, "object missing required field toWhom"),
        ({"toWhom": 1}, "toWhom: expected str, got int"),
        ({"toWhom": "x", "hedaers": []}, "object contains unknown field hedaers"),
        ({"toWhom": "x", "headers": [{"key": 1, "value": ""}]}, r"headers\[0\]\.key: expected str"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(parameters: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(parameters, Letter)


def test_templates_are_found_by_their_paths() -> None:
    parameters = {"topic": "a/${b}", "qos": 1, "headers": [{"key": "k", "value": "v"}]}
    assert templates(parameters, "topic", "qos", "headers.*.value", "absent") == {
        "topic": "a/${b}",
        "headers.0.value": "v",
    }


def test_headers_are_those_of_the_message() -> None:
    message = Message("", b"", "m", {"headers.0.value": "filled"})
    assert headers_of(message, "headers", [HeaderForm("a", "${b}")]) == [("a", "filled")]
    assert filled(message, "absent", "default") == "default"


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "", "a\0b"])
def test_files_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="below the folder"):
        check_file(name, "passwordFile")


@pytest.mark.parametrize("name", ["HOME", "BITTERN_API__TOKEN", "BITTERN_SECRET_", "x"])
def test_variables_of_others_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="BITTERN_SECRET_"):
        check_variable(name, "tokenEnvironment")


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/link").symlink_to("/etc/passwd")
    with pytest.raises(DeliveryUnavailable, match="leads out"):
        secret_file(tmp_path, "link")


def test_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/token").write_text("hush\nmore\n")
    (tmp_path / "secrets/empty").write_text("\n")
    secret = read_secret(tmp_path, "token", None)
    assert secret is not None
    assert secret.expose() == "hush"
    with pytest.raises(DeliveryUnavailable, match="empty"):
        read_secret(tmp_path, "empty", None)
    with pytest.raises(DeliveryUnavailable, match="secrets/absent: No such file"):
        read_secret(tmp_path, "absent", None)
    assert read_secret(tmp_path, None, None) is None


def test_secret_is_read_from_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "BITTERN_SECRET_TOKEN", "hush")
    secret = read_secret(tmp_path, None, "BITTERN_SECRET_TOKEN")
    assert secret is not None
    assert secret.expose() == "hush"
    with pytest.raises(DeliveryUnavailable, match="is not set"):
        read_secret(tmp_path, None, "BITTERN_SECRET_ABSENT")


def test_certificate_and_key_come_together() -> None:
    with pytest.raises(ValueError, match="come together"):
        check_tls(TlsForm(certificate="a.pem"), "tls")
    check_tls(TlsForm(certificate="a.pem", key="a.key", ca="ca.pem"), "tls")


def test_tls_verifies_by_the_authorities_named(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("lns.example")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "own.pem")
    context = tls_context(
        tmp_path, TlsForm(ca="ca.pem", certificate="own.pem", key="own.pem"), alpn="mqtt"
    )
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    "tls", [TlsForm(ca="absent.pem"), TlsForm(certificate="absent.pem", key="absent.key")]
)
def test_absent_file_is_named(tmp_path: Path, tls: TlsForm) -> None:
    with pytest.raises(DeliveryUnavailable, match=r"secrets/absent\.pem: No such file"):
        tls_context(tmp_path, tls)
