"""`bittern mqtt`: the embedded broker's users and their certificates."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from bittern import installation
from bittern.cli import mqtt_user, output, parameters
from bittern.cli.attribution import recorded
from bittern.cli.group import noun
from bittern.cli.mqtt_user import Name, accounts_of, required
from bittern.cli.workspace import Workspace
from bittern.errors import Conflict, NotFound
from bittern.outputs.broker.accounts import Account, CertificateRecord
from bittern.pki import files

if TYPE_CHECKING:
    from bittern.pki.authority import Authority
    from bittern.pki.issuing import Issued

app = noun("The embedded MQTT broker.")
app.add_typer(mqtt_user.app, name="user")

SHORTEST_PREFIX = 8
DAYS = 365


@app.command("certificate")
@recorded
def certificate(
    *,
    name: Name,
    folder: Annotated[
        Path,
        typer.Option("--files", metavar="DIR", help="Where to write ca.crt, NAME.crt, NAME.key."),
    ],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is valid.")] = DAYS,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Issue a certificate by which a user logs in at mqtt.tls_port without a password.

    The key is written here and kept nowhere else. Earlier certificates go on counting.
    """
    from bittern.pki.issuing import issue_user_certificate

    workspace = Workspace.of(data_dir, config)
    accounts = accounts_of(workspace)
    required(accounts.open(), name)
    authorities = installation.authorities(workspace.configuration, workspace.now())
    issued = issue_user_certificate(
        authorities.issuing, name, workspace.now(), timedelta(days=days)
    )
    record = CertificateRecord(issued.certificate_id, issued.not_after)

    def work(known: dict[str, Account]) -> None:
        before = required(known, name)
        # Those that have ended let nobody in, and are forgotten here.
        kept = [one for one in before.certificates if one.not_after > workspace.now()]
        known[name] = msgspec.structs.replace(before, certificates=(*kept, record))

    with _written(folder, _contents(authorities.issuing, name, issued)):
        accounts.change(work)
    output.say(f"certificate {issued.certificate_id} of user {name}")
    output.say(f"until {output.local_time(issued.not_after)}, in {folder}")
    if workspace.configuration.mqtt.tls_port is None:
        output.say("mqtt.tls_port is not set: the broker does not speak TLS yet")


@app.command("revoke")
@recorded
def revoke(
    name: Name,
    fingerprint: Annotated[
        str,
        typer.Argument(
            metavar="FINGERPRINT",
            help="As `bittern mqtt user list --json` has it, or its first digits: 8 at least.",
        ),
    ],
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Revoke a certificate of a user for good. The user's connections end and log in again."""
    accounts = accounts_of(Workspace.of(data_dir, config))
    digits = fingerprint.replace(":", "").lower()
    if len(digits) < SHORTEST_PREFIX:
        raise typer.BadParameter(
            f"{SHORTEST_PREFIX} digits at least, not {fingerprint!r}", param_hint="FINGERPRINT"
        )

    def work(known: dict[str, Account]) -> None:
        before = required(known, name)
        kept = [one for one in before.certificates if not one.fingerprint.startswith(digits)]
        gone = len(before.certificates) - len(kept)
        if not gone:
            raise NotFound("certificate", f"{fingerprint} of user {name}")
        if gone > 1:
            raise typer.BadParameter(f"{fingerprint} begins several", param_hint="FINGERPRINT")
        known[name] = msgspec.structs.replace(before, certificates=tuple(kept))

    accounts.change(work)
    output.say(f"certificate {fingerprint} of user {name} revoked")


def _contents(authority: Authority, name: str, issued: Issued) -> Mapping[str, bytes]:
    return {
        "ca.crt": authority.pem,
        f"{name}.crt": issued.certificate_pem,
        f"{name}.key": issued.private_key_pem(),
    }


@contextlib.contextmanager
def _written(folder: Path, contents: Mapping[str, bytes]) -> Iterator[None]:
    """Mode 0600. Nothing that is there is replaced but by the same; what was written is removed
    when the context ends by an exception. Raises `Conflict`."""
    files.make_folder(folder)
    wanted: dict[Path, bytes] = {}
    for name, content in contents.items():
        path = folder / name
        if not path.exists():
            wanted[path] = content
        elif path.read_bytes() != content:
            raise Conflict("file", str(path), "exists already and may be somebody's key")
    written: list[Path] = []
    try:
        for path, content in wanted.items():
            if not files.write_once(path, content):
                raise Conflict("file", str(path))
            written.append(path)
        yield
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
