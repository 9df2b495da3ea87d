"""`bittern gateway firmware key` and `sign`: who vouches for the images that gateways execute."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from bittern.cli import output, parameters
from bittern.cli.attribution import recorded
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace
from bittern.errors import Conflict

app = noun("Keys that update images are signed by.")


@app.command("new")
@recorded
def new(
    *,
    private: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Where to write the private key. Keep it off the server."
        ),
    ],
    public: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to write the public key. Without it: sig-0.key beside the private one.",
        ),
    ] = None,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Make a key that signs images.

    Its public half goes onto every gateway, as sig-0.key beside station.conf, and to the server,
    which checks images before it gives them out: where bittern has a data directory here, at once.
    """
    from bittern.pki import files
    from bittern.pki.firmware_signatures import (
        key_crc,
        make_signing_key,
        public_key,
        signing_key_pem,
    )

    workspace = Workspace.of(data_dir, config)
    beside = public or private.with_name("sig-0.key")
    key = make_signing_key()
    content = public_key(key)
    if not files.write_once(private, signing_key_pem(key)):
        raise Conflict("file", str(private), "exists already and may be somebody's key")
    if not files.write_once(beside, content):
        private.unlink()
        raise Conflict("file", str(beside), "exists already and may be on gateways")
    is_here = workspace.layout.database.exists()
    kept = _keep(workspace, content) if is_here else None
    if as_json:
        document = {"key_crc": key_crc(content), "private": str(private), "public": str(beside)}
        output.print_json(document | {"kept": None if kept is None else str(kept)})
        return
    output.properties({"SigKeyCrc": str(key_crc(content))})
    output.say(f"{private} signs images: keep it safe, and off the server")
    output.say(f"{beside} goes onto every gateway, beside its station.conf")
    if not is_here:
        output.say(f"and to the server: `bittern gateway firmware key add {beside.name}` there")


@app.command("add")
@recorded
def add(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="sig-0.key of a gateway, or PEM, or DER.")
    ],
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Tell the server a public key: images that it has signed may be given out."""
    from bittern.pki.firmware_keys import FILE_LIMIT, read_public_key
    from bittern.pki.firmware_signatures import key_crc

    workspace = Workspace.of(data_dir, config)
    with file.open("rb") as opened:
        content = opened.read(FILE_LIMIT)
    try:
        public = read_public_key(content)
    except ValueError as error:
        raise typer.BadParameter(f"{file}: {error}", param_hint="FILE") from None
    kept = _keep(workspace, public)
    if as_json:
        output.print_json({"key_crc": key_crc(public), "kept": str(kept)})
        return
    output.properties({"SigKeyCrc": str(key_crc(public))})
    output.say(f"kept in {kept}")


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List the keys that the server checks images by."""
    from bittern.pki.firmware_keys import public_keys
    from bittern.pki.firmware_signatures import key_crc

    folder = Workspace.of(data_dir, config).layout.firmware_keys
    known = public_keys(folder)
    if as_json:
        output.print_json(
            [{"key_crc": key_crc(public), "public": public.hex()} for public in known]
        )
        return
    output.table(
        ["SIGKEYCRC", "X"],
        [[str(key_crc(public)), public[:32].hex()] for public in known],
        empty=f"no keys in {folder}",
    )


def sign(
    *,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The file to sign.")],
    key: Annotated[
        Path,
        typer.Option(metavar="FILE", help="The private key, as `key new` writes it, or PKCS#8."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write the signature too, in base64."),
    ] = None,
    as_json: parameters.AsJson = False,
) -> None:
    """Sign an image: prints what AWS calls UpdateSignature and SigKeyCrc."""
    from bittern.pki import firmware_signatures as signatures

    try:
        signing = signatures.read_signing_key(key.read_bytes())
    except ValueError as error:
        raise typer.BadParameter(f"{key}: {error}", param_hint="--key") from None
    with image.open("rb") as opened:
        text = base64.b64encode(signatures.sign(opened, signing)).decode("ascii")
    crc = signatures.key_crc(signatures.public_key(signing))
    if out is not None:
        out.write_text(f"{text}\n", encoding="ascii")
    if as_json:
        output.print_json({"signature": text, "key_crc": crc})
        return
    output.properties({"UpdateSignature": text, "SigKeyCrc": str(crc)})


def _keep(workspace: Workspace, public: bytes) -> Path:
    from bittern.pki.files import make_folder
    from bittern.pki.firmware_keys import add_public_key

    layout = workspace.layout
    for folder in (layout.data_dir, layout.firmware):
        make_folder(folder)
    return add_public_key(layout.firmware_keys, public)
