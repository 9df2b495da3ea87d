"""`bittern service-profile`: what the operator grants devices."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import typer

from bittern.cli import output, parameters, profile_text
from bittern.cli.group import noun
from bittern.cli.profile_names import service_profile_of
from bittern.cli.workspace import Workspace, run
from bittern.store.forgetting import forget
from bittern.store.pages import everything
from bittern.store.records import ServiceProfile

app = noun("Service profiles: what devices are granted. They never change.")

ADR = "Adaptive data rate, within what the region and the device can"
REPORT = "What messages tell"
ROAMING = "Roaming"

Profile = Annotated[str, typer.Argument(metavar="ID|NAME")]


@app.command("add")
def add(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For people; need not be unique.")],
    adr: Annotated[
        Literal["reference", "mobile", "off"] | None,
        typer.Option(help="How the network chooses data rate and power.", rich_help_panel=ADR),
    ] = None,
    dr_min: Annotated[int | None, typer.Option(rich_help_panel=ADR)] = None,
    dr_max: Annotated[int | None, typer.Option(rich_help_panel=ADR)] = None,
    tx_power_index_min: Annotated[
        int | None, typer.Option(help="0 is the most power.", rich_help_panel=ADR)
    ] = None,
    tx_power_index_max: Annotated[int | None, typer.Option(rich_help_panel=ADR)] = None,
    nb_trans_min: Annotated[
        int | None, typer.Option(help="How often a frame is sent.", rich_help_panel=ADR)
    ] = None,
    nb_trans_max: Annotated[int | None, typer.Option(rich_help_panel=ADR)] = None,
    max_duty_cycle: Annotated[
        int | None,
        typer.Option(min=0, max=15, metavar="N", help="Devices may send 1/2^N of the time."),
    ] = None,
    status_requests: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="COUNT", help="How often a day a device is asked how it is; 0: never."
        ),
    ] = None,
    gateway_metadata: Annotated[
        bool | None,
        typer.Option(
            "--gateway-metadata/--no-gateway-metadata",
            help="Which gateways have heard it, and how.",
            rich_help_panel=REPORT,
        ),
    ] = None,
    report_battery: Annotated[
        bool | None,
        typer.Option(
            "--report-battery/--no-report-battery",
            help="Its battery, once it has told it.",
            rich_help_panel=REPORT,
        ),
    ] = None,
    report_margin: Annotated[
        bool | None,
        typer.Option(
            "--report-margin/--no-report-margin",
            help="Its link margin, likewise.",
            rich_help_panel=REPORT,
        ),
    ] = None,
    passive_roaming: Annotated[
        bool | None,
        typer.Option(
            "--passive-roaming/--no-passive-roaming",
            help="Whether other networks may carry its frames.",
            rich_help_panel=ROAMING,
        ),
    ] = None,
    roaming_activation: Annotated[
        bool | None,
        typer.Option(
            "--roaming-activation/--no-roaming-activation",
            help="Whether it may join through them.",
            rich_help_panel=ROAMING,
        ),
    ] = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Add a service profile, as CreateServiceProfile does, with what AWS has no members for.

    Prints its id.
    """
    from bittern.api.profile_records import service_profile

    workspace = Workspace.of(data_dir, config, account)
    profile = profile_text.made(
        service_profile,
        workspace.account,
        name,
        {
            "AddGwMetadata": gateway_metadata,
            "DrMin": dr_min,
            "DrMax": dr_max,
            "TxPowerIndexMin": tx_power_index_min,
            "TxPowerIndexMax": tx_power_index_max,
            "NbTransMin": nb_trans_min,
            "NbTransMax": nb_trans_max,
            "PrAllowed": passive_roaming,
            "RaAllowed": roaming_activation,
        },
        {
            "adr_algorithm": "" if adr == "off" else adr,
            "max_duty_cycle": max_duty_cycle,
            "dev_status_req_freq": status_requests,
            "report_dev_status_battery": report_battery,
            "report_dev_status_margin": report_margin,
        },
    )

    async def work() -> None:
        async with workspace.store(make=True) as store:
            await store.add_service_profile(profile)

    run(work())
    if as_json:
        profile_text.tell(profile, as_json)
        return
    typer.echo(profile.id)
    output.say(f"service profile {name} added")


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all service profiles."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[ServiceProfile]:
        async with workspace.store() as store:
            page = partial(store.service_profiles, workspace.account)
            return [one async for one in everything(page, lambda one: one.id)]

    profiles = run(work())
    if as_json:
        output.print_json([profile_text.document(one) for one in profiles])
        return
    output.table(
        ["NAME", "ADR", "DATA RATES", "GATEWAY METADATA", "ID"],
        [
            [
                one.name,
                one.adr_algorithm or "off",
                f"{one.dr_min}..{one.dr_max}",
                "yes" if one.add_gateway_metadata else "no",
                one.id,
            ]
            for one in profiles
        ],
        empty="no service profiles",
    )


@app.command("show")
def show(
    profile: Profile,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Show a service profile: all that is not left to the region or the network."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> ServiceProfile:
        async with workspace.store() as store:
            return await service_profile_of(store, workspace.account, profile)

    profile_text.tell(run(work()), as_json)


@app.command("remove")
def remove(
    profile: Profile,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a service profile that no device has."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> ServiceProfile:
        async with workspace.store() as store:
            found = await service_profile_of(store, workspace.account, profile)
            await store.remove_service_profile(found.id)
            await forget(store, workspace.account, f"ServiceProfile/{found.id}")
            return found

    removed = run(work())
    output.say(f"service profile {removed.name or removed.id} removed")
