"""`bittern gateway add`: register a gateway and write the files of its station."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from bittern import installation
from bittern.cli import output, parameters
from bittern.cli.certificate_text import certificate_document
from bittern.cli.gateway_text import gateway_document
from bittern.cli.workspace import Workspace, run
from bittern.config import Configuration
from bittern.errors import Conflict
from bittern.lorawan import regions
from bittern.lorawan.regions.plan import FixedPlan
from bittern.store import gateway_settings
from bittern.store.gateway_records import Place
from bittern.store.protocol import Store
from bittern.store.records import Gateway, GatewayCertificate
from bittern.types import GatewayEUI, Instant

if TYPE_CHECKING:
    from bittern.cli.station_files import StationFiles


def add(
    *,
    eui: parameters.GatewayEuiArgument,
    region: parameters.Region = None,
    name: parameters.ForPeople = "",
    description: Annotated[str, typer.Option()] = "",
    sub_band: parameters.SubBands = None,
    boards: parameters.Boards = None,
    max_eirp: Annotated[
        float | None, typer.Option(help="Limit of the transmission power, dBm EIRP.")
    ] = None,
    station_region: Annotated[
        str | None, typer.Option(help="Region name for the station, where it has its own.")
    ] = None,
    no_beacons: Annotated[
        bool, typer.Option("--no-beacons", help="No class B beacons, though it may have a GPS.")
    ] = False,
    allow_remote_shell: Annotated[
        bool, typer.Option("--allow-remote-shell", help="An administrator may open a shell on it.")
    ] = False,
    allow_remote_commands: Annotated[
        bool,
        typer.Option("--allow-remote-commands", help="An administrator may have it run commands."),
    ] = False,
    join_eui_range: parameters.JoinEuiRange = None,
    net_id: parameters.NetIdFilter = None,
    files: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write its files. Without it: ./gateway-EUI."),
    ] = None,
    only: parameters.Only = None,
    uri: parameters.LnsUri = None,
    cups_uri: parameters.CupsUri = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Register a gateway, issue its certificates and write the files of its station.

    Copy cups.uri, cups.trust, cups.crt and cups.key, and the same four of tc, into the folder of
    its station.conf. From then on CUPS renews them. The keys are not kept here.
    """
    workspace = Workspace.of(data_dir, config, account)
    now = workspace.now()
    region = region or workspace.configuration.network.region
    gateway = Gateway(
        account=workspace.account,
        id=str(uuid.uuid4()),
        gateway_eui=GatewayEUI(eui),
        name=name,
        description=description,
        region=region,
        sub_bands=sub_bands(region, sub_band or (), boards or 1),
        boards=boards or 1,
        join_eui_filters=tuple(join_eui_range or ()),
        net_id_filters=tuple(int(one) for one in net_id or ()),
        max_eirp_dbm=max_eirp,
        station_region=station_region,
        beaconing=not no_beacons,
        # What its files say CUPS must not change back.
        lns_uri=uri,
        cups_uri=cups_uri,
        remote_shell=allow_remote_shell,
        remote_commands=allow_remote_commands,
        created_at=now,
    )
    check_settings(gateway)
    folder = files or Path(f"gateway-{eui}")
    uris = station_uris(workspace, only, lns=uri, cups=cups_uri)

    async def work() -> list[GatewayCertificate]:
        async with workspace.store(make=True) as store:
            return await register(
                store,
                workspace.configuration,
                gateway,
                folder=folder,
                uri=uris.get("lns"),
                cups_uri=uris.get("cups"),
                now=now,
            )

    certificates = run(work())
    if as_json:
        document = gateway_document(gateway)
        document["certificates"] = [certificate_document(one) for one in certificates]
        output.print_json(document | {"files": str(folder.absolute())})
        return
    output.say(f"gateway {eui} added: {gateway.region}")
    say_files(folder, uris)


def say_files(folder: Path, uris: Mapping[Place, str]) -> None:
    from bittern.cli.station_files import file_names

    output.say(f"its files are in {folder}: {' '.join(file_names(uris))}")


def station_uris(
    workspace: Workspace, only: Place | None, *, lns: str | None, cups: str | None
) -> dict[Place, str]:
    """Where its files send a gateway, by place: as it is told, or as the installation is reached.

    Raises `ConfigurationError` where nothing says so.
    """
    uris: dict[Place, str] = {}
    if only != "lns":
        uris["cups"] = cups or workspace.cups_uri()
    if only != "cups":
        uris["lns"] = lns or workspace.station_uri()
    return uris


def sub_bands(region: str, given: Iterable[int] = (), boards: int = 1) -> tuple[int, ...]:
    """Those of a fixed plan, by default the customary one; other plans have none."""
    plan, chosen = regions.plan(region), tuple(sorted(set(given)))
    if not isinstance(plan, FixedPlan):
        if chosen:
            raise typer.BadParameter(f"{plan.name} has no sub-bands", param_hint="--sub-band")
        return ()
    chosen = chosen or plan.customary_sub_bands
    if chosen[-1] > plan.sub_band_count:
        raise typer.BadParameter(
            f"{plan.name} has {plan.sub_band_count} sub-bands", param_hint="--sub-band"
        )
    if len(chosen) > boards:
        raise typer.BadParameter(
            f"{len(chosen)} sub-bands take as many concentrator boards, not {boards}",
            param_hint="--boards",
        )
    return chosen


def check_settings(gateway: Gateway) -> None:
    """What its station could not be configured with is wrong usage."""
    try:
        gateway_settings.check_settings(gateway)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


async def register(
    store: Store,
    configuration: Configuration,
    gateway: Gateway,
    *,
    folder: Path,
    uri: str | None,
    cups_uri: str | None = None,
    now: Instant,
) -> list[GatewayCertificate]:
    """The files before the registration: a gateway that is registered has been given its keys.

    Files are written for the places that have a URI. Raises `Conflict`.
    """
    from bittern.cli.station_files import write_station_files

    eui = gateway.gateway_eui
    if await store.gateway(eui) is not None:
        raise Conflict("gateway", str(eui))
    given: tuple[tuple[Place, str | None], ...] = (("cups", cups_uri), ("lns", uri))
    sets = issue_files(configuration, eui, {place: it for place, it in given if it}, now)
    certificates = [
        msgspec.structs.replace(one.record(eui, now), account=gateway.account) for one in sets
    ]
    with write_station_files(folder, sets):
        await store.add_gateway(gateway)
        for certificate in certificates:
            await store.add_certificate(certificate)
    return certificates


def issue_files(
    configuration: Configuration, eui: GatewayEUI, uris: Mapping[Place, str], now: Instant
) -> list[StationFiles]:
    """New files for each place, by the authority that issues now."""
    from bittern.cli.station_files import StationFiles

    authority = installation.authorities(configuration, now).issuing
    kind = configuration.certificates.key_type
    return [
        StationFiles.made(authority, eui, place=place, uri=uri, now=now, kind=kind)
        for place, uri in uris.items()
    ]
