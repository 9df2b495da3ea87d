"""`bittern device-profile`: what makers say of their kinds of devices."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any

import typer

from bittern.cli import output, parameters, profile_text
from bittern.cli.group import noun
from bittern.cli.owned import require_codec
from bittern.cli.profile_names import device_profile_of
from bittern.cli.workspace import Workspace, run
from bittern.lorawan.versions import MacVersion
from bittern.store.forgetting import forget
from bittern.store.pages import everything
from bittern.store.records import DeviceProfile

app = noun("Device profiles: what makers say of their kinds of devices. They never change.")

UNIT_HZ = 100
"""Frequencies are told to devices in this unit (TS001-1.0.4, 5.6)."""
LARGEST_HZ = 0xFF_FFFF * UNIT_HZ

CLASS_B = "Class B"
CLASS_C = "Class C"
RECEIVING = "Receive windows (without: the region's)"
LIMITS = "Limits (without: the region's)"
ONLY_1_1 = "LoRaWAN 1.1"


def _frequency(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) % UNIT_HZ or int(text) > LARGEST_HZ:
        raise ValueError(f"a frequency in Hz, a multiple of {UNIT_HZ}, unlike {text!r}")
    return int(text)


def _pair(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]+)=([0-9]+)", text)
    if match is None:
        raise ValueError(f"UPLINK=DOWNLINK, two frequencies in Hz, unlike {text!r}")
    return _frequency(match[1]), _frequency(match[2])


def _hz(text: str, panel: str) -> Any:
    return typer.Option(
        metavar="HZ", parser=parameters.parsed(_frequency), help=text, rich_help_panel=panel
    )


Profile = Annotated[str, typer.Argument(metavar="ID|NAME")]


@app.command("add")
def add(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For people; need not be unique.")],
    version: parameters.Version = MacVersion.LORAWAN_1_0_3,
    region: parameters.Region = None,
    revision: parameters.Revision = "",
    codec: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What decodes payloads: a codec, or cayenne-lpp."),
    ] = None,
    joins: Annotated[
        bool, typer.Option("--join/--no-join", help="Whether devices join (OTAA).")
    ] = True,
    counters_32bit: Annotated[
        bool | None,
        typer.Option("--32bit-fcnt/--no-32bit-fcnt", help="Whether counters have 32 bits."),
    ] = None,
    class_b: Annotated[
        bool, typer.Option("--class-b", help="Devices can.", rich_help_panel=CLASS_B)
    ] = False,
    class_b_timeout: Annotated[
        int | None,
        typer.Option(metavar="S", help="Seconds that an answer may take.", rich_help_panel=CLASS_B),
    ] = None,
    ping_slot_period: Annotated[
        int | None,
        typer.Option(help="Slots from one to the next, 32 to 4096.", rich_help_panel=CLASS_B),
    ] = None,
    ping_slot_frequency: Annotated[int | None, _hz("Of ping slots.", CLASS_B)] = None,
    ping_slot_data_rate: Annotated[int | None, typer.Option(rich_help_panel=CLASS_B)] = None,
    beacon_frequency: Annotated[int | None, _hz("Of beacons.", CLASS_B)] = None,
    class_c: Annotated[
        bool, typer.Option("--class-c", help="Devices can.", rich_help_panel=CLASS_C)
    ] = False,
    class_c_timeout: Annotated[
        int | None,
        typer.Option(metavar="S", help="Seconds that an answer may take.", rich_help_panel=CLASS_C),
    ] = None,
    rx1_delay: Annotated[
        int | None, typer.Option(metavar="S", help="Seconds.", rich_help_panel=RECEIVING)
    ] = None,
    rx1_dr_offset: Annotated[int | None, typer.Option(rich_help_panel=RECEIVING)] = None,
    rx2_data_rate: Annotated[int | None, typer.Option(rich_help_panel=RECEIVING)] = None,
    rx2_frequency: Annotated[int | None, _hz("Of RX2.", RECEIVING)] = None,
    preset_frequency: Annotated[
        list[int] | None,
        _hz("A channel that personalized devices have besides. May be repeated.", RECEIVING),
    ] = None,
    downlink_frequency: Annotated[
        list[Any] | None,
        typer.Option(
            metavar="HZ=HZ",
            parser=parameters.parsed(_pair),
            help="RX1 behind uplinks at the first is at the second. May be repeated.",
            rich_help_panel=RECEIVING,
        ),
    ] = None,
    max_eirp: Annotated[int | None, typer.Option(metavar="DBM", rich_help_panel=LIMITS)] = None,
    max_duty_cycle: Annotated[
        int | None,
        typer.Option(metavar="PERCENT", help="Of the time.", rich_help_panel=LIMITS),
    ] = None,
    uplink_dwell_time: Annotated[
        bool | None,
        typer.Option(
            "--uplink-dwell-time/--no-uplink-dwell-time",
            help="Whether uplinks are limited to 400 ms.",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    downlink_dwell_time: Annotated[
        bool | None,
        typer.Option(
            "--downlink-dwell-time/--no-downlink-dwell-time",
            help="Likewise downlinks.",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    adr_ack_limit_exp: Annotated[
        int | None,
        typer.Option(min=0, max=15, help="ADR_ACK_LIMIT is 2 to it.", rich_help_panel=ONLY_1_1),
    ] = None,
    adr_ack_delay_exp: Annotated[
        int | None,
        typer.Option(min=0, max=15, help="ADR_ACK_DELAY is 2 to it.", rich_help_panel=ONLY_1_1),
    ] = None,
    rejoin_max_time: Annotated[
        int | None,
        typer.Option(
            min=0, max=15, help="Rejoin-request every 2^(n + 10) s.", rich_help_panel=ONLY_1_1
        ),
    ] = None,
    rejoin_max_count: Annotated[
        int | None,
        typer.Option(min=0, max=15, help="Or every 2^(n + 4) uplinks.", rich_help_panel=ONLY_1_1),
    ] = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Add a device profile, as CreateDeviceProfile does, with what AWS has no members for.

    Prints its id. Frequencies are in Hz.
    """
    from bittern.api.profile_records import device_profile

    workspace = Workspace.of(data_dir, config, account)
    profile = profile_text.made(
        device_profile,
        workspace.account,
        name,
        {
            "MacVersion": str(version),
            "RfRegion": region or workspace.configuration.network.region,
            "RegParamsRevision": revision or None,
            "SupportsJoin": joins,
            "Supports32BitFCnt": counters_32bit,
            "SupportsClassB": class_b,
            "ClassBTimeout": class_b_timeout,
            "PingSlotPeriod": ping_slot_period,
            "PingSlotFreq": _units(ping_slot_frequency),
            "PingSlotDr": ping_slot_data_rate,
            "SupportsClassC": class_c,
            "ClassCTimeout": class_c_timeout,
            "RxDelay1": rx1_delay,
            "RxDrOffset1": rx1_dr_offset,
            "RxDataRate2": rx2_data_rate,
            "RxFreq2": _units(rx2_frequency),
            "FactoryPresetFreqsList": [one // UNIT_HZ for one in preset_frequency or ()] or None,
            "MaxEirp": max_eirp,
            "MaxDutyCycle": max_duty_cycle,
        },
        {
            "beacon_frequency_hz": beacon_frequency,
            "downlink_frequencies_hz": tuple(downlink_frequency or ()) or None,
            "uplink_dwell_time": uplink_dwell_time,
            "downlink_dwell_time": downlink_dwell_time,
            "adr_ack_limit_exp": adr_ack_limit_exp,
            "adr_ack_delay_exp": adr_ack_delay_exp,
            "rejoin_max_time_n": rejoin_max_time,
            "rejoin_max_count_n": rejoin_max_count,
            "codec": codec,
        },
    )

    async def work() -> None:
        async with workspace.store(make=True) as store:
            await require_codec(store, workspace.account, profile.codec)
            await store.add_device_profile(profile)

    run(work())
    if as_json:
        profile_text.tell(profile, as_json)
        return
    typer.echo(profile.id)
    output.say(f"device profile {name} added: LoRaWAN {profile.mac_version}, {profile.region}")


def _units(frequency_hz: int | None) -> int | None:
    return None if frequency_hz is None else frequency_hz // UNIT_HZ


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all device profiles."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[DeviceProfile]:
        async with workspace.store() as store:
            page = partial(store.device_profiles, workspace.account)
            return [one async for one in everything(page, lambda one: one.id)]

    profiles = run(work())
    if as_json:
        output.print_json([profile_text.document(one) for one in profiles])
        return
    output.table(
        ["NAME", "VERSION", "REGION", "CLASS", "JOINS", "CODEC", "ID"],
        [
            [
                one.name,
                one.mac_version,
                f"{one.region} {one.reg_params_revision}".rstrip(),
                _classes(one),
                "yes" if one.supports_join else "no",
                one.codec,
                one.id,
            ]
            for one in profiles
        ],
        empty="no device profiles",
    )


@app.command("show")
def show(
    profile: Profile,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Show a device profile: all that is not left to the region or the network."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> DeviceProfile:
        async with workspace.store() as store:
            return await device_profile_of(store, workspace.account, profile)

    profile_text.tell(run(work()), as_json)


@app.command("remove")
def remove(
    profile: Profile,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a device profile that no device has."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> DeviceProfile:
        async with workspace.store() as store:
            found = await device_profile_of(store, workspace.account, profile)
            await store.remove_device_profile(found.id)
            await forget(store, workspace.account, f"DeviceProfile/{found.id}")
            return found

    removed = run(work())
    output.say(f"device profile {removed.name or removed.id} removed")


def _classes(profile: DeviceProfile) -> str:
    return "A" + "B" * profile.supports_class_b + "C" * profile.supports_class_c
