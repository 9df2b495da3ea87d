"""`bittern join-server network` and `application`: who may ask, by certificates of ours."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from bittern import installation
from bittern.cli import output, parameters
from bittern.cli.group import noun
from bittern.cli.join_server_store import opened_registry
from bittern.cli.workspace import Workspace, run
from bittern.errors import Conflict
from bittern.store.disclosure import disclosed
from bittern.store.join_records import JoinPeer, PeerKind
from bittern.types import KeyEncryptionKey, NetID

UNIT = "Join server"
KEK_SIZE = 32
FILES = ("client.crt", "client.key", "ca.crt", "kek")

network = noun("Network servers that may ask for joins.")
application = noun("Application servers that may ask for AppSKeys.")

Out = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        help="New folder for client.crt, client.key, ca.crt and kek: the network's"
        " DATA_DIR/join-server.",
    ),
]
Days = Annotated[int, typer.Option("--days", min=1, max=10950, help="How long it is valid.")]
NoKek = Annotated[
    bool, typer.Option("--no-kek", help="Send keys as they are: TLS alone protects them.")
]
Fingerprint = Annotated[str, typer.Argument(metavar="FINGERPRINT", help="As `list` prints it.")]


@network.command("add")
def add_network(
    *,
    net_id: Annotated[
        NetID,
        typer.Argument(
            metavar="NETID",
            parser=parameters.parsed(NetID.from_hex),
            help="Six hexadecimal digits: network.net_id of the network.",
        ),
    ],
    out: Out,
    days: Days = 365,
    no_kek: NoKek = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Issue a certificate by which a network server may ask, and a key to wrap session keys by."""
    _add(Workspace.of(data_dir, config), "network", str(net_id), out, days, with_kek=not no_kek)


@application.command("add")
def add_application(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="SenderID of its requests.")],
    out: Out,
    days: Days = 365,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Issue a certificate by which an application server may ask for the AppSKeys of its devices,
    and a key that they are wrapped by."""
    _add(Workspace.of(data_dir, config), "application", name, out, days, with_kek=True)


@network.command("list")
def list_networks(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List the certificates of network servers."""
    _list(Workspace.of(data_dir, config), "network", as_json)


@application.command("list")
def list_applications(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List the certificates of application servers."""
    _list(Workspace.of(data_dir, config), "application", as_json)


@network.command("remove")
def remove_network(
    fingerprint: Fingerprint,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Refuse a certificate from its next request on."""
    _remove(Workspace.of(data_dir, config), fingerprint)


@application.command("remove")
def remove_application(
    fingerprint: Fingerprint,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Refuse a certificate from its next request on."""
    _remove(Workspace.of(data_dir, config), fingerprint)


def _add(
    workspace: Workspace, kind: PeerKind, identity: str, out: Path, days: int, *, with_kek: bool
) -> None:
    from bittern.pki import files
    from bittern.pki.issuing import issue_user_certificate

    if found := [name for name in FILES if (out / name).exists()]:
        raise Conflict("file", str(out / found[0]))

    async def prepare() -> None:
        async with opened_registry(workspace, make=True):
            pass

    run(prepare())
    now = workspace.now()
    authorities = installation.authorities(workspace.configuration, now)
    issued = issue_user_certificate(authorities.issuing, identity, now, timedelta(days=days), UNIT)
    kek = KeyEncryptionKey(secrets.token_bytes(KEK_SIZE)) if with_kek else None
    peer = JoinPeer(
        fingerprint=issued.certificate_id,
        kind=kind,
        identity=identity,
        kek_label=f"{identity}-{issued.certificate_id[:8]}" if kek else "",
        kek=kek,
        not_after=issued.not_after,
        created_at=now,
    )

    async def work() -> None:
        async with opened_registry(workspace) as registry:
            await registry.add_peer(peer)

    files.make_folder(out)
    files.write_once(out / "ca.crt", authorities.trusted_pem)
    files.write_once(out / "client.crt", issued.certificate_pem)
    files.write_once(out / "client.key", issued.private_key_pem())
    if kek is not None:
        line = f"{peer.kek_label} {disclosed(kek)}\n"
        files.write_once(out / "kek", line.encode())
    run(work())
    output.say(f"{kind} server {identity} may ask; its files are in {out}")
    typer.echo(peer.fingerprint)


def _list(workspace: Workspace, kind: PeerKind, as_json: bool) -> None:
    async def work() -> list[JoinPeer]:
        async with opened_registry(workspace) as registry:
            return [peer for peer in await registry.peers() if peer.kind == kind]

    peers = run(work())
    if as_json:
        output.print_json(
            [
                {
                    "fingerprint": peer.fingerprint,
                    "identity": peer.identity,
                    "kek_label": peer.kek_label,
                    "not_after": output.utc(peer.not_after),
                }
                for peer in peers
            ]
        )
        return
    output.table(
        ["FINGERPRINT", "SENDERID", "KEK", "VALID UNTIL"],
        [
            [peer.fingerprint, peer.identity, peer.kek_label, output.local_time(peer.not_after)]
            for peer in peers
        ],
        empty=f"no {kind} servers",
    )


def _remove(workspace: Workspace, fingerprint: str) -> None:
    async def work() -> None:
        async with opened_registry(workspace) as registry:
            await registry.remove_peer(fingerprint)

    run(work())
    output.say(f"certificate {fingerprint} is refused from now on")
