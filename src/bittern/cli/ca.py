"""`bittern ca`: the certificate authority, and how the next one takes its place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from bittern import installation
from bittern.cli import output, parameters
from bittern.cli.attribution import recorded
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace, run
from bittern.pki.rotation_progress import LastUse, Progress, Signer, hindrance
from bittern.store.gateway_records import GatewayState
from bittern.store.pages import everything
from bittern.store.protocol import Store
from bittern.store.records import Gateway, GatewayCertificate
from bittern.types import Instant

if TYPE_CHECKING:
    from bittern.pki.authority import Authority
    from bittern.pki.rotation import Authorities, Stage

app = noun("The certificate authority, which gateways trust and which signs for them.")

BECAUSE = "authority retired"
TOLD = 20
"""Gateways named one by one where a step is refused."""

STAGES: dict[Stage, str] = {
    "settled": "one authority signs and is trusted",
    "introduced": "gateways are given certificates of the next authority; the server still shows"
    " one of the current",
    "presented": "the server shows a certificate of the next authority; the current one is still"
    " trusted",
}
STEPS: dict[Stage, str] = {
    "settled": "make the next authority: it signs what gateways are given from now on, and nobody"
    " is locked out",
    "introduced": "show a server certificate of the next authority: who trusts the current one"
    " alone is locked out",
    "presented": "retire the current authority: its certificates no longer let anybody in, its key"
    " is deleted",
}


@dataclass(frozen=True, slots=True)
class Moved:
    """A gateway, and what keeps it from the next authority; None: it has moved."""

    gateway: Gateway
    hindrance: str | None


@app.command("show")
def show(
    pem: Annotated[
        bool,
        typer.Option("--pem", help="Print only what gateways are to trust: tc.trust, cups.trust."),
    ] = False,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Show the authority, and in a rotation the next one and which gateways have moved to it."""
    workspace = Workspace.of(data_dir, config)

    async def work() -> tuple[Authorities, list[Moved]]:
        async with workspace.store() as store:
            found = installation.authorities(workspace.configuration, workspace.now())
            return found, await gateways_moved(store, found, workspace.now())

    authorities, moved = run(work())
    if pem:
        typer.echo(authorities.issuing.pem.decode("ascii"), nl=False)
        return
    if as_json:
        output.print_json(_document(authorities, moved))
        return
    output.properties(
        *(_told(name, one) for name, one in _named(authorities).items()),
        {
            "stage": f"{authorities.stage}: {STAGES[authorities.stage]}",
            "next step": f"`bittern ca rotate` to {STEPS[authorities.stage]}",
        },
    )
    if authorities.following is None:
        return
    typer.echo()
    output.table(
        ["EUI", "NAME", "MOVED", "WHY NOT"],
        [
            [
                str(one.gateway.gateway_eui),
                one.gateway.name,
                "no" if one.hindrance else "yes",
                one.hindrance or "",
            ]
            for one in moved
        ],
        empty="no gateways",
    )


@app.command("rotate")
@recorded
def rotate(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Though gateways have not moved: they will be locked out."),
    ] = False,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Take the next of three steps: introduce the next authority, present it, retire the old one.

    A running server follows within seconds. The second and the third step wait until every gateway
    has moved.
    """
    workspace = Workspace.of(data_dir, config)
    now = workspace.now()
    authorities, left = run(_left_behind(workspace, now))
    if left and not force:
        output.complain(_who(left))
        raise typer.Exit(1)
    output.say(f"this will {STEPS[authorities.stage]}")
    if left:
        output.say(f"gateways that have not moved, and will need new files by hand: {len(left)}")
    if not yes:
        typer.confirm("go on?", abort=True, err=True)
    after = run(_step(workspace, authorities, now))
    if as_json:
        output.print_json(_document(after, []))
        return
    output.say(f"{after.stage}: {STAGES[after.stage]}")


async def _left_behind(workspace: Workspace, now: Instant) -> tuple[Authorities, list[Moved]]:
    async with workspace.store() as store:
        authorities = installation.authorities(workspace.configuration, now)
        moved = await gateways_moved(store, authorities, now)
        return authorities, [one for one in moved if one.hindrance is not None]


def _who(left: list[Moved]) -> str:
    told = [f"  {one.gateway.gateway_eui} {one.hindrance}" for one in left[:TOLD]]
    if len(left) > TOLD:
        told.append(f"  and {len(left) - TOLD} more: `bittern ca show`")
    return "\n".join(
        [f"the next step waits for these gateways, or for --force: {len(left)}", *told]
    )


async def _step(workspace: Workspace, before: Authorities, now: Instant) -> Authorities:
    from bittern.pki import rotation

    folder = workspace.layout.pki
    ring = installation.unlocked(workspace.configuration, now)
    if before.following is None:
        return rotation.introduce(folder, now, ring)
    if before.stage == "introduced":
        return rotation.present(folder, now, ring)
    async with workspace.store() as store:
        # Before the authority goes: cut short in between, the step is simply taken once more.
        await _revoke_earlier(store, before.following.fingerprint, now)
    return rotation.retire(folder, now, ring)


async def _revoke_earlier(store: Store, following: str, now: Instant) -> None:
    """Every certificate that an authority of ours other than the next one has signed."""
    async for _, certificates in _fleet(store):
        for one in certificates:
            if _signer(one, following) == "earlier" and one.revoked_at is None:
                await store.replace_certificate(
                    msgspec.structs.replace(
                        one, active=False, renew=False, revoked_at=now, revoked_because=BECAUSE
                    )
                )


async def gateways_moved(store: Store, authorities: Authorities, now: Instant) -> list[Moved]:
    """Every gateway with what keeps it; none while no rotation is under way."""
    if authorities.following is None:
        return []
    return [
        Moved(
            gateway,
            hindrance(
                _progress(
                    certificates,
                    await store.gateway_state(gateway.gateway_eui),
                    authorities.following,
                    now,
                )
            ),
        )
        async for gateway, certificates in _fleet(store)
    ]


async def _fleet(store: Store) -> AsyncIterator[tuple[Gateway, list[GatewayCertificate]]]:
    async for gateway in everything(store.gateways, lambda one: one.gateway_eui):
        yield gateway, await store.certificates_of(gateway.gateway_eui)


def _progress(
    certificates: list[GatewayCertificate], state: GatewayState, following: Authority, now: Instant
) -> Progress:
    signers = {one.fingerprint: _signer(one, following.fingerprint) for one in certificates}
    connection, cups = state.connection, state.cups
    return Progress(
        began=made_at(following),
        lns=None
        if connection is None
        else LastUse(
            now if connection.connected else connection.changed_at,
            signers.get(connection.certificate, "unknown"),
        ),
        cups=None if cups is None else LastUse(cups.at, signers.get(cups.certificate, "unknown")),
        earlier=frozenset(
            one.purpose
            for one in certificates
            if one.active and one.not_after > now and signers[one.fingerprint] != "next"
        ),
        withheld=() if cups is None else cups.withheld,
    )


def _signer(certificate: GatewayCertificate, following: str) -> Signer:
    if certificate.pem:
        return "outside"
    return "next" if certificate.authority == following else "earlier"


def made_at(authority: Authority) -> Instant:
    """Its certificate is valid since some time before."""
    from bittern.pki.authority import BACKDATED

    since = authority.certificate.not_valid_before_utc + BACKDATED
    return Instant(since.timestamp())


def _named(authorities: Authorities) -> dict[str, Authority]:
    named = {"authority": authorities.current}
    if authorities.following is not None:
        named["next"] = authorities.following
    return named


def _told(name: str, authority: Authority) -> dict[str, str]:
    return {
        name: authority.certificate.subject.rfc4514_string(),
        "fingerprint": authority.fingerprint,
        "validity": f"{output.local_time(made_at(authority))} until"
        f" {output.local_time(_not_after(authority))}",
    }


def _document(authorities: Authorities, moved: list[Moved]) -> dict[str, object]:
    return {
        "stage": authorities.stage,
        "authorities": [
            {
                "role": "next" if one is authorities.following else "current",
                "subject": one.certificate.subject.rfc4514_string(),
                "fingerprint": one.fingerprint,
                "not_after": output.utc(_not_after(one)),
                "issues": one is authorities.issuing,
                "presented": one is authorities.presenting,
                "pem": one.pem.decode("ascii"),
            }
            for one in _named(authorities).values()
        ],
        "gateways": [
            {
                "eui": str(one.gateway.gateway_eui),
                "moved": one.hindrance is None,
                "hindrance": one.hindrance,
            }
            for one in moved
        ],
    }


def _not_after(authority: Authority) -> Instant:
    return Instant(authority.certificate.not_valid_after_utc.timestamp())
