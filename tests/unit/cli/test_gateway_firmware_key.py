from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bittern.pki.firmware_keys import public_keys
from bittern.pki.firmware_signatures import key_crc, make_signing_key, public_key

EUI = "0016c001ff000001"


def key(bittern, *arguments: str | Path):
    return bittern("gateway", "firmware", "key", *arguments)


def kept(bittern) -> list[bytes]:
    return public_keys(bittern.data_dir / "firmware" / "keys")


def test_a_new_key_is_known_to_the_server_at_once(bittern) -> None:
    bittern.done("gateway", "add", EUI)
    made = key(bittern, "new", "firmware.pem", "--json").json
    public = Path("sig-0.key").read_bytes()
    assert (len(public), made["key_crc"]) == (64, key_crc(public))
    assert kept(bittern) == [public]
    assert Path("firmware.pem").stat().st_mode & 0o077 == 0
    assert key(bittern, "list", "--json").json == [
        {"key_crc": key_crc(public), "public": public.hex()}
    ]
    assert str(key_crc(public)) in key(bittern, "list").stdout


def test_a_key_is_made_where_no_server_is(bittern) -> None:
    made = key(bittern, "new", "firmware.pem", "--public", "roof.key")
    assert made.exit_code == 0
    assert "firmware key add roof.key" in made.stderr
    assert not bittern.data_dir.exists()
    assert "no keys in" in key(bittern, "list").stderr


def test_the_private_key_is_never_printed_nor_kept(bittern) -> None:
    bittern.done("gateway", "add", EUI)
    made = key(bittern, "new", "firmware.pem")
    assert "PRIVATE" not in made.stdout + made.stderr
    signing = serialization.load_pem_private_key(Path("firmware.pem").read_bytes(), None)
    secret = signing.private_numbers().private_value.to_bytes(32, "big")
    files = [path for path in bittern.data_dir.rglob("*") if path.is_file()]
    assert all(secret not in path.read_bytes() for path in files)


@pytest.mark.parametrize("taken", ["firmware.pem", "sig-0.key"])
def test_a_file_is_never_replaced(bittern, taken: str) -> None:
    Path(taken).write_text("somebody's")
    refused = key(bittern, "new", "firmware.pem")
    assert refused.exit_code == 1
    assert f"file {taken} exists already" in refused.stderr
    assert Path(taken).read_text() == "somebody's"
    left = {"firmware.pem", "sig-0.key"} - {taken}
    assert not any(Path(name).exists() for name in left)


def test_the_key_of_a_gateway_is_added(bittern) -> None:
    public = public_key(make_signing_key())
    Path("sig-0.key").write_bytes(public)
    assert key(bittern, "add", "sig-0.key", "--json").json["key_crc"] == key_crc(public)
    assert kept(bittern) == [public]
    assert bittern.data_dir.stat().st_mode & 0o077 == 0


def test_a_private_key_is_not_added(bittern) -> None:
    key(bittern, "new", "firmware.pem")
    refused = key(bittern, "add", "firmware.pem")
    assert refused.exit_code == 2
    assert "the server needs the public one only" in " ".join(refused.stderr.split())
    assert kept(bittern) == []


def test_sign_makes_what_openssl_would_verify(bittern) -> None:
    key(bittern, "new", "firmware.pem")
    image = bytes(range(256)) * 5000
    Path("image.bin").write_bytes(image)
    sign = ("gateway", "firmware", "sign", "image.bin", "--key", "firmware.pem")
    signed = bittern.done(*sign, "--out", "image.sig", "--json").json
    signing = serialization.load_pem_private_key(Path("firmware.pem").read_bytes(), None)
    signature = base64.b64decode(signed["signature"], validate=True)
    signing.public_key().verify(signature, image, ec.ECDSA(hashes.SHA512()))
    assert signed["key_crc"] == key_crc(Path("sig-0.key").read_bytes())
    assert Path("image.sig").read_text() == signed["signature"] + "\n"
    lines = dict(line.split() for line in bittern.done(*sign).stdout.splitlines())
    assert set(lines) == {"UpdateSignature", "SigKeyCrc"}
    assert lines["SigKeyCrc"] == str(signed["key_crc"])


def test_sign_refuses_what_is_no_key(bittern) -> None:
    Path("image.bin").write_bytes(b"image")
    refused = bittern("gateway", "firmware", "sign", "image.bin", "--key", "image.bin")
    assert refused.exit_code == 2
    assert "no unencrypted private key in PEM" in refused.stderr
    absent = bittern("gateway", "firmware", "sign", "image.bin", "--key", "absent.pem")
    assert (absent.exit_code, absent.stderr) == (
        1,
        "bittern: absent.pem: no such file or directory\n",
    )
