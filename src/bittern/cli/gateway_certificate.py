"""`bittern gateway certificate`: what a gateway shows who it is by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from bittern import installation
from bittern.cli import output, parameters
from bittern.cli.certificate_text import (
    PURPOSES,
    SHORT,
    certificate_document,
    certificate_standing,
    certificate_use,
)
from bittern.cli.gateway_add import issue_files, say_files, station_uris
from bittern.cli.group import noun
from bittern.cli.owned import gateway_of
from bittern.cli.workspace import Workspace, run
from bittern.config import Configuration
from bittern.errors import Conflict, NotFound
from bittern.store.gateway_records import GatewayState, Place
from bittern.store.protocol import Store
from bittern.store.records import Gateway, GatewayCertificate
from bittern.types import GatewayEUI, Instant

if TYPE_CHECKING:
    from cryptography import x509

app = noun("Certificates of a gateway.")

SHORTEST_PREFIX = 8

Fingerprint = Annotated[
    str,
    typer.Argument(metavar="FINGERPRINT", help="As listed, or its first digits: 8 at least."),
]


@app.command("list")
def list_(
    eui: parameters.GatewayEuiArgument,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List the certificates of a gateway, the newest first."""
    workspace = Workspace.of(data_dir, config, account)
    gateway_eui, now = GatewayEUI(eui), workspace.now()

    async def work() -> tuple[list[GatewayCertificate], GatewayState]:
        async with workspace.store() as store:
            gateway = await gateway_of(store, workspace.account, gateway_eui)
            found = await _newest_first(store, gateway)
            return found, await store.gateway_state(gateway_eui)

    certificates, state = run(work())
    if as_json:
        output.print_json([certificate_document(one) for one in certificates])
        return
    output.table(
        ["FINGERPRINT", "FOR", "VALIDITY", "UNTIL", "USE"],
        [
            [
                one.fingerprint[:SHORT],
                PURPOSES[one.purpose],
                certificate_standing(one, now),
                output.local_time(one.not_after),
                certificate_use(one, certificates, state),
            ]
            for one in certificates
        ],
        empty="no certificates",
    )


@app.command("renew")
def renew(
    *,
    eui: parameters.GatewayEuiArgument,
    by_cups: Annotated[
        bool,
        typer.Option("--by-cups", help="No files: CUPS replaces what it has when it asks next."),
    ] = False,
    files: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write them. Without it: ./gateway-EUI."),
    ] = None,
    only: parameters.Only = None,
    uri: parameters.LnsUri = None,
    cups_uri: parameters.CupsUri = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Make new files for a gateway, or have CUPS replace those that it has.

    The earlier certificates go on letting it in until they are revoked or deactivated.
    """
    workspace = Workspace.of(data_dir, config, account)
    gateway_eui, now = GatewayEUI(eui), workspace.now()
    if by_cups:
        if files or uri or cups_uri:
            raise typer.BadParameter("writes no files and tells no address", param_hint="--by-cups")
        marked = run(_mark(workspace, gateway_eui, only, now))
        if as_json:
            output.print_json([certificate_document(one) for one in marked])
            return
        output.say(f"{len(marked)} certificates are renewed when the gateway asks CUPS next")
        return
    folder = files or Path(f"gateway-{eui}")

    async def work() -> tuple[dict[Place, str], list[GatewayCertificate]]:
        async with workspace.store() as store:
            gateway = await gateway_of(store, workspace.account, gateway_eui)
            lns, cups = uri or gateway.lns_uri, cups_uri or gateway.cups_uri
            uris = station_uris(workspace, only, lns=lns, cups=cups)
            return uris, await _make_files(store, workspace, gateway, folder, uris)

    uris, made = run(work())
    if as_json:
        certificates = [certificate_document(one) for one in made]
        output.print_json({"certificates": certificates, "files": str(folder.absolute())})
        return
    say_files(folder, uris)
    output.say(f"earlier ones still let it in: `bittern gateway certificate list {eui}`")


async def _make_files(
    store: Store, workspace: Workspace, gateway: Gateway, folder: Path, uris: dict[Place, str]
) -> list[GatewayCertificate]:
    from bittern.cli.station_files import write_station_files

    eui, now = gateway.gateway_eui, workspace.now()
    sets = issue_files(workspace.configuration, eui, uris, now)
    made = [_of_gateway(one.record(eui, now), gateway) for one in sets]
    with write_station_files(folder, sets):
        for certificate in made:
            await store.add_certificate(certificate)
    return made


async def _mark(
    workspace: Workspace, gateway_eui: GatewayEUI, only: Place | None, now: Instant
) -> list[GatewayCertificate]:
    """Those that count are marked. Raises `Conflict` where none lets the gateway ask CUPS."""
    async with workspace.store() as store:
        gateway = await gateway_of(store, workspace.account, gateway_eui)
        counted = [one for one in await _newest_first(store, gateway) if _counts(one, now)]
        if not any(one.purpose in ("any", "cups") for one in counted):
            raise Conflict(
                "gateway",
                str(gateway_eui),
                "has no certificate that lets it ask CUPS: make files by"
                f" `bittern gateway certificate renew {gateway_eui}`",
            )
        marked = [
            msgspec.structs.replace(one, renew=True)
            for one in counted
            if only is None or one.purpose in ("any", only)
        ]
        for certificate in marked:
            await store.replace_certificate(certificate)
        return marked


@app.command("revoke")
def revoke(
    *,
    eui: parameters.GatewayEuiArgument,
    fingerprint: Fingerprint,
    because: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; the gateway's log and ours repeat it.")
    ],
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Revoke a certificate for good: a connection that has shown it ends at once."""
    workspace = Workspace.of(data_dir, config, account)
    now = workspace.now()

    def revoked(certificate: GatewayCertificate) -> GatewayCertificate:
        if certificate.revoked_at is not None:
            raise Conflict("certificate", certificate.fingerprint, "is revoked already")
        return msgspec.structs.replace(
            certificate, active=False, renew=False, revoked_at=now, revoked_because=because
        )

    _set(workspace, GatewayEUI(eui), fingerprint, revoked, "revoked")


@app.command("deactivate")
def deactivate(
    eui: parameters.GatewayEuiArgument,
    fingerprint: Fingerprint,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Let nobody in by a certificate, until it is activated again."""
    workspace = Workspace.of(data_dir, config, account)

    def deactivated(certificate: GatewayCertificate) -> GatewayCertificate:
        return msgspec.structs.replace(certificate, active=False)

    _set(workspace, GatewayEUI(eui), fingerprint, deactivated, "deactivated")


@app.command("activate")
def activate(
    eui: parameters.GatewayEuiArgument,
    fingerprint: Fingerprint,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Let a gateway in by a certificate that was deactivated. Revoked ones stay revoked."""
    workspace = Workspace.of(data_dir, config, account)

    def activated(certificate: GatewayCertificate) -> GatewayCertificate:
        if certificate.revoked_at is not None:
            raise Conflict("certificate", certificate.fingerprint, "is revoked, and that is final")
        return msgspec.structs.replace(certificate, active=True)

    _set(workspace, GatewayEUI(eui), fingerprint, activated, "activated")


@app.command("register")
def register(
    *,
    eui: parameters.GatewayEuiArgument,
    file: Annotated[
        Path,
        typer.Option(metavar="FILE", help="PEM file of that one certificate.", exists=True),
    ],
    inactive: Annotated[
        bool, typer.Option("--inactive", help="Let nobody in by it before it is activated.")
    ] = False,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Let a gateway in by a certificate that an outside authority has signed.

    The gateway needs this installation's authority as cups.trust and tc.trust: `bittern ca show
    --pem`.
    """
    workspace = Workspace.of(data_dir, config, account)
    gateway_eui, now = GatewayEUI(eui), workspace.now()

    async def work() -> GatewayCertificate:
        async with workspace.store() as store:
            gateway = await gateway_of(store, workspace.account, gateway_eui)
            found = _read_certificate(workspace.configuration, file, gateway_eui, now)
            certificate = _of_gateway(msgspec.structs.replace(found, active=not inactive), gateway)
            await store.add_certificate(certificate)
            return certificate

    certificate = run(work())
    if as_json:
        output.print_json(certificate_document(certificate))
        return
    output.say(f"certificate {certificate.fingerprint} registered for gateway {eui}")


def _read_certificate(
    configuration: Configuration, file: Path, gateway_eui: GatewayEUI, now: Instant
) -> GatewayCertificate:
    """The record of the certificate in ``file``; wrong usage where it could let nobody in."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    from bittern.pki.fingerprints import certificate_id

    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except ValueError:
        raise _unusable(file, "no certificate in PEM form") from None
    if len(found) != 1:
        raise _unusable(file, f"{len(found)} certificates; leave only that of the gateway")
    certificate = found[0]
    _check_use(file, certificate)
    not_after = Instant(certificate.not_valid_after_utc.timestamp())
    if not_after <= now:
        raise _unusable(file, f"expired {output.local_time(not_after)}")
    authorities = installation.authorities(configuration, now)
    own = [one for one in (authorities.current, authorities.issuing) if one.has_signed(certificate)]
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
    return GatewayCertificate(
        fingerprint=certificate_id(certificate.public_bytes(serialization.Encoding.DER)),
        gateway_eui=gateway_eui,
        authority=own[0].fingerprint if own else "",
        pem="" if own else pem,
        not_after=not_after,
        created_at=now,
    )


def _check_use(file: Path, certificate: x509.Certificate) -> None:
    """A client's, and no authority's: what that signs would get past the handshake too."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    extensions = certificate.extensions
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise _unusable(file, "the certificate of an authority, not of a gateway")
    except x509.ExtensionNotFound:
        pass
    try:
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    allowed = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if not allowed & set(usages):
        raise _unusable(file, "not for clients of TLS, by its extended key usage")


def _unusable(file: Path, why: str) -> typer.BadParameter:
    return typer.BadParameter(f"{file}: {why}", param_hint="--file")


def _set(
    workspace: Workspace,
    gateway_eui: GatewayEUI,
    prefix: str,
    change: Callable[[GatewayCertificate], GatewayCertificate],
    word: str,
) -> None:
    now = workspace.now()

    async def work() -> tuple[GatewayCertificate, list[GatewayCertificate]]:
        async with workspace.store() as store:
            gateway = await gateway_of(store, workspace.account, gateway_eui)
            changed = change(_named(await _newest_first(store, gateway), prefix))
            await store.replace_certificate(changed)
            return changed, await _newest_first(store, gateway)

    changed, certificates = run(work())
    output.say(f"certificate {changed.fingerprint} {word}")
    places: tuple[Place, ...] = ("cups", "lns")
    for place in places:
        lets_in = [one for one in certificates if one.purpose in ("any", place)]
        if lets_in and not any(_counts(one, now) for one in lets_in):
            output.say(f"gateway {gateway_eui} has no certificate left for {PURPOSES[place]}")


def _named(certificates: list[GatewayCertificate], prefix: str) -> GatewayCertificate:
    """The one of this fingerprint, or of its first digits."""
    digits = prefix.replace(":", "").lower()
    if len(digits) < SHORTEST_PREFIX:
        raise typer.BadParameter(
            f"{SHORTEST_PREFIX} digits at least, not {prefix!r}", param_hint="FINGERPRINT"
        )
    found = [one for one in certificates if one.fingerprint.startswith(digits)]
    if not found:
        raise NotFound("certificate", f"{prefix} of this gateway")
    if len(found) > 1:
        raise typer.BadParameter(f"{prefix} begins several", param_hint="FINGERPRINT")
    return found[0]


async def _newest_first(store: Store, gateway: Gateway) -> list[GatewayCertificate]:
    found = await store.certificates_of(gateway.gateway_eui)
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def _of_gateway(certificate: GatewayCertificate, gateway: Gateway) -> GatewayCertificate:
    return msgspec.structs.replace(certificate, account=gateway.account)


def _counts(certificate: GatewayCertificate, now: Instant) -> bool:
    """Whether it lets its gateway in."""
    return certificate.active and certificate.revoked_at is None and certificate.not_after > now
