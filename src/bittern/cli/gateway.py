"""`bittern gateway`: the gateways that may connect, and the files by which they do."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from bittern import installation
from bittern.cli import output, parameters
from bittern.cli.group import noun
from bittern.cli.station_files import FILES, write_station_files
from bittern.cli.workspace import Workspace, run
from bittern.config import Configuration
from bittern.errors import Conflict, NotFound
from bittern.gateway.eui_text import format_id6
from bittern.lorawan import regions
from bittern.lorawan.regions.plan import FixedPlan
from bittern.pki.issuing import issue_gateway_certificate
from bittern.store.protocol import Store
from bittern.store.records import Gateway, GatewayCertificate
from bittern.types import GatewayEUI, Instant, NetID

app = noun("Gateways that may connect, and their files.")


@app.command("add")
def add(
    *,
    eui: parameters.GatewayEuiArgument,
    region: parameters.Region = None,
    name: Annotated[str, typer.Option()] = "",
    description: Annotated[str, typer.Option()] = "",
    sub_band: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=8,
            help="Of a region with 64 channels, such as US915. May be repeated. Without it: 2.",
        ),
    ] = None,
    max_eirp: Annotated[
        float | None, typer.Option(help="Limit of the transmission power, dBm EIRP.")
    ] = None,
    station_region: Annotated[
        str | None, typer.Option(help="Region name for the station, where it has its own.")
    ] = None,
    join_eui_range: parameters.JoinEuiRange = None,
    net_id: Annotated[
        list[NetID] | None,
        typer.Option(
            metavar="NETID",
            parser=parameters.parsed(NetID.from_hex),
            help="Data frames of these networks only. May be repeated.",
            rich_help_panel=parameters.FILTERS,
        ),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write its files. Without it: ./gateway-EUI."),
    ] = None,
    uri: Annotated[
        str | None,
        typer.Option(
            metavar="wss://NAME:PORT",
            parser=parameters.parsed(parameters.station_uri),
            help="How the gateway reaches this server. Without it: lns.uri, or the first of"
            " server.names with lns.port.",
        ),
    ] = None,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Register a gateway, issue its certificate and write the four files of its station.

    Copy tc.uri, tc.trust, tc.crt and tc.key into the folder of its station.conf. The key is not
    kept here.
    """
    workspace = Workspace.of(data_dir, config)
    now = workspace.now()
    region = region or workspace.configuration.network.region
    gateway = Gateway(
        id=str(uuid.uuid4()),
        gateway_eui=GatewayEUI(eui),
        name=name,
        description=description,
        region=region,
        sub_bands=sub_bands(region, sub_band or ()),
        join_eui_filters=tuple(join_eui_range or ()),
        net_id_filters=tuple(int(one) for one in net_id or ()),
        max_eirp_dbm=max_eirp,
        station_region=station_region,
        created_at=now,
    )
    folder = files or Path(f"gateway-{eui}")
    station_uri = uri or workspace.station_uri()

    async def work() -> GatewayCertificate:
        async with workspace.store(make=True) as store:
            return await register(
                store,
                workspace.configuration,
                gateway,
                folder=folder,
                uri=station_uri,
                now=now,
            )

    certificate = run(work())
    if as_json:
        output.print_json(_document(gateway, [certificate]) | {"files": str(folder.absolute())})
        return
    output.say(f"gateway {eui} added: {gateway.region}")
    output.say(f"its files are in {folder}: {' '.join(FILES)}")


def sub_bands(region: str, given: Iterable[int] = ()) -> tuple[int, ...]:
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
    return chosen


async def register(
    store: Store,
    configuration: Configuration,
    gateway: Gateway,
    *,
    folder: Path,
    uri: str,
    now: Instant,
) -> GatewayCertificate:
    """The files before the registration: a gateway that is registered has been given its key."""
    if await store.gateway(gateway.gateway_eui) is not None:
        raise Conflict("gateway", str(gateway.gateway_eui))
    authority = installation.authorities(configuration, now).issuing
    issued = issue_gateway_certificate(authority, gateway.gateway_eui, now)
    certificate = GatewayCertificate(
        fingerprint=issued.certificate_id,
        gateway_eui=gateway.gateway_eui,
        not_after=issued.not_after,
        created_at=now,
    )
    with write_station_files(folder, uri=uri, trust=authority.pem, issued=issued):
        await store.add_gateway(gateway)
        await store.add_certificate(certificate)
    return certificate


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all gateways."""
    workspace = Workspace.of(data_dir, config)
    gateways = run(_all(workspace))
    if as_json:
        output.print_json([_document(gateway) for gateway in gateways])
        return
    output.table(
        ["EUI", "REGION", "SUB-BANDS", "NAME", "ADDED"],
        [
            [
                str(one.gateway_eui),
                one.region,
                _numbers(one.sub_bands),
                one.name,
                output.local_time(one.created_at),
            ]
            for one in gateways
        ],
        empty="no gateways",
    )


async def _all(workspace: Workspace) -> list[Gateway]:
    async with workspace.store() as store:
        found: list[Gateway] = []
        while page := await store.gateways(after=found[-1].gateway_eui if found else None):
            found += page
        return found


@app.command("show")
def show(
    eui: parameters.GatewayEuiArgument,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Show a gateway and the certificates that it may show."""
    workspace = Workspace.of(data_dir, config)
    gateway, certificates = run(_one(workspace, GatewayEUI(eui)))
    if as_json:
        output.print_json(_document(gateway, certificates))
        return
    output.properties(_told(gateway), *map(_certificate_told, certificates))


async def _one(workspace: Workspace, eui: GatewayEUI) -> tuple[Gateway, list[GatewayCertificate]]:
    async with workspace.store() as store:
        gateway = await store.gateway(eui)
        if gateway is None:
            raise NotFound("gateway", str(eui))
        return gateway, await store.certificates_of(eui)


@app.command("remove")
def remove(
    eui: parameters.GatewayEuiArgument,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a gateway: its certificates no longer let anybody in."""
    workspace = Workspace.of(data_dir, config)

    async def work() -> None:
        async with workspace.store() as store:
            await store.remove_gateway(GatewayEUI(eui))

    run(work())
    output.say(f"gateway {eui} removed")


def _told(gateway: Gateway) -> dict[str, str]:
    told = {
        "EUI": str(gateway.gateway_eui),
        "station EUI": format_id6(gateway.gateway_eui),
        "name": gateway.name,
        "description": gateway.description,
        "region": gateway.region,
        "sub-bands": _numbers(gateway.sub_bands),
        "JoinEUIs": ", ".join(f"{a:016x}-{b:016x}" for a, b in gateway.join_eui_filters),
        "NetIDs": ", ".join(f"{one:06x}" for one in gateway.net_id_filters),
        "max EIRP": "" if gateway.max_eirp_dbm is None else f"{gateway.max_eirp_dbm:g} dBm",
        "added": output.local_time(gateway.created_at),
    }
    return {name: value for name, value in told.items() if value}


def _certificate_told(certificate: GatewayCertificate) -> dict[str, str]:
    state = "active" if certificate.active else "inactive"
    return {
        "certificate": certificate.fingerprint,
        "": f"{state}, valid until {output.local_time(certificate.not_after)}",
    }


def _document(
    gateway: Gateway, certificates: list[GatewayCertificate] | None = None
) -> dict[str, object]:
    document: dict[str, object] = {
        "eui": str(gateway.gateway_eui),
        "id": gateway.id,
        "name": gateway.name,
        "description": gateway.description,
        "region": gateway.region,
        "sub_bands": gateway.sub_bands,
        "join_eui_filters": [[f"{a:016x}", f"{b:016x}"] for a, b in gateway.join_eui_filters],
        "net_id_filters": [f"{one:06x}" for one in gateway.net_id_filters],
        "max_eirp_dbm": gateway.max_eirp_dbm,
        "station_region": gateway.station_region,
        "created_at": output.utc(gateway.created_at),
    }
    if certificates is not None:
        document["certificates"] = [
            {
                "fingerprint": one.fingerprint,
                "active": one.active,
                "not_after": output.utc(one.not_after),
            }
            for one in certificates
        ]
    return document


def _numbers(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))
