"""`bittern region`: what the regional parameters say, and what stations are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.group import noun
from bittern.cli.region_document import document, kind, station, summary
from bittern.lorawan import regions
from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.regions.plan import DataRate, FixedPlan, Modulation, PayloadSizes, Plan

app = noun("Regions: channels, data rates, receive windows.")


@app.command("list")
def list_(as_json: parameters.AsJson = False) -> None:
    """List all regions."""
    plans = [regions.plan(name) for name in regions.names()]
    if as_json:
        output.print_json([summary(plan) for plan in plans])
        return
    output.table(
        ["NAME", "COMMON NAME", "PLAN", "MHZ", "CHANNELS", "RX2", "STATION"],
        [
            [
                plan.name,
                plan.common_name,
                kind(plan),
                _between(plan.frequency_range_hz),
                str(len(plan.uplink_channels())),
                _rx2(plan),
                plan.station_region,
            ]
            for plan in plans
        ],
        empty="no regions",
    )


@app.command("show")
def show(
    *,
    name: Annotated[
        str,
        typer.Argument(
            metavar="REGION", help="EU868, as923-1, US902-928: see `bittern region list`."
        ),
    ],
    revision: Annotated[
        RegionalParameters | None,
        typer.Option(
            metavar="REVISION",
            parser=parameters.parsed(RegionalParameters.parse),
            help="As devices of this revision have it: RP002-1.0.1, 1.0.2rB. Without it:"
            f" {list(RegionalParameters)[-1]}.",
        ),
    ] = None,
    sub_band: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="Channels of this sub-band only. May be repeated. Without it: all."
        ),
    ] = None,
    as_json: parameters.AsJson = False,
) -> None:
    """Show every table of a region, and the configuration of a station in it."""
    chosen = tuple(sorted(set(sub_band or ())))
    plan = _plan(name, revision, chosen)
    if as_json:
        output.print_json(document(plan, chosen))
    else:
        _tell(plan, chosen)


def _plan(name: str, revision: RegionalParameters | None, sub_bands: Sequence[int]) -> Plan:
    """With a sub-band that is none, or to a region that is none: wrong usage."""
    try:
        plan = regions.plan(name, revision)
        plan.uplink_channels(sub_bands)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return plan


def _tell(plan: Plan, sub_bands: Sequence[int]) -> None:
    output.properties(_properties(plan))
    _section("Data rates, and the largest FRMPayload in bytes", *_data_rates(plan))
    _section("Transmission power", ["TXPOWER", "DBM EIRP"], _powers(plan))
    if isinstance(plan, FixedPlan):
        _section("Sub-bands", *_sub_bands(plan, sub_bands))
    else:
        _section("Channels", *_channels(plan))
    if isinstance(plan, FixedPlan) and plan.common_join_channels:
        _section("Join channels, and the windows that follow from them", *_joining(plan))
    _section("RX1 data rate, by uplink data rate and RX1DROffset", *_rx1(plan, dwell=False))
    if plan.rx1_data_rates_dwell is not None:
        _section("The same under a downlink dwell time", *_rx1(plan, dwell=True))
    if plan.duty_cycle_bands:
        _section("Time on air", *_bands(plan))
    of = (
        f" of sub-band {plan.customary_sub_bands[0]}"
        if isinstance(plan, FixedPlan) and not sub_bands
        else ""
    )
    _section(f"What a station is told{of}", *_station(plan, sub_bands))


def _section(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    typer.echo(f"\n{title}\n")
    output.table(columns, rows, empty="none")


def _properties(plan: Plan) -> dict[str, str]:
    class_b = plan.class_b
    told = {
        "name": plan.name,
        "common name": plan.common_name,
        "channel plan": kind(plan),
        "frequencies": f"{_between(plan.frequency_range_hz)} MHz",
        "max EIRP": f"{plan.max_eirp_dbm:g} dBm",
        "RX2": _rx2(plan),
        "delays": f"RX1 {plan.receive_delay1_s} s, join-accept {plan.join_accept_delay1_s} s",
        "ADR": f"ADR_ACK_LIMIT {plan.adr_ack_limit}, ADR_ACK_DELAY {plan.adr_ack_delay}",
        "CFList": _cf_list(plan),
        "beacon": f"{_some_mhz(class_b.beacon_frequencies_hz)} MHz DR{class_b.beacon_data_rate}",
        "ping slot": f"{_some_mhz(class_b.ping_slot_frequencies_hz)} MHz"
        f" DR{class_b.ping_slot_data_rate}",
        "dwell time": _dwell_time(plan),
        "listen first": plan.listen_before_talk,
    }
    return {name: value for name, value in told.items() if value}


def _cf_list(plan: Plan) -> str:
    cf_list = plan.cf_list()
    return "none" if cf_list is None else f"type {cf_list[15]}"


def _dwell_time(plan: Plan) -> str:
    if not plan.has_tx_param_setup:
        return ""
    directions = [
        name
        for name, limited in (
            ("uplinks", plan.boot_uplink_dwell),
            ("downlinks", plan.boot_downlink_dwell),
        )
        if limited
    ]
    return f"by TXParamSetupReq; before it 400 ms for {' and '.join(directions) or 'nothing'}"


def _data_rates(plan: Plan) -> tuple[list[str], list[list[str]]]:
    sizes = plan.payload_sizes
    columns = ["DR", "DIRECTION", "MODULATION", "", "SIZE", "REPEATER"]
    if sizes.dwell is not None:
        columns += ["400 MS", "REPEATER"]
    rows = [
        [str(dr), _direction(row), row.modulation, _rate(row), *_sizes(sizes, dr)]
        for dr, row in sorted(plan.data_rates.items())
    ]
    return columns, rows


def _sizes(sizes: PayloadSizes, dr: int) -> list[str]:
    tables = [sizes.plain, sizes.repeater]
    if sizes.dwell is not None:
        tables += [sizes.dwell, sizes.dwell_repeater or sizes.dwell]
    return [str(table.get(dr, 0) or "-") for table in tables]


def _direction(row: DataRate) -> str:
    return "both" if row.uplink and row.downlink else "up" if row.uplink else "down"


def _rate(row: DataRate) -> str:
    match row.modulation:
        case Modulation.LORA:
            return f"SF{row.spreading_factor} {row.bandwidth_khz} kHz"
        case Modulation.FSK:
            return f"{row.bit_rate} bit/s"
        case Modulation.LR_FHSS:
            return f"CR {row.coding_rate} {row.bandwidth_khz} kHz"


def _powers(plan: Plan) -> list[list[str]]:
    indices = range(len(plan.tx_power_offsets_db))
    return [[str(index), f"{plan.tx_power_dbm(index):g}"] for index in indices]


def _channels(plan: Plan) -> tuple[list[str], list[list[str]]]:
    joining = plan.join_channels
    rows = [
        [
            str(index),
            _mhz(channel.frequency_hz),
            _row(channel.min_dr, channel.max_dr),
            "default" if channel in joining else "added by the network",
        ]
        for index, channel in enumerate(plan.uplink_channels())
    ]
    return ["CHANNEL", "MHZ", "DR", ""], rows


def _sub_bands(plan: FixedPlan, chosen: Sequence[int]) -> tuple[list[str], list[list[str]]]:
    columns = ["SUB-BAND", "CHANNELS", "MHZ", "RX1 MHZ", "CHMASKCNTL:CHMASK"]
    if plan.wide_channels:
        columns[3:3] = ["500 KHZ", "MHZ"]
    numbers = chosen or range(1, plan.sub_band_count + 1)
    return columns, [_sub_band(plan, number) for number in numbers]


def _sub_band(plan: FixedPlan, number: int) -> list[str]:
    indices = plan.enabled_indices((number,))
    narrow, wide = indices[:8], indices[8:]
    first, *_, last = (plan.channels[index].frequency_hz for index in narrow)
    rx1 = [plan.rx1_frequency(plan.channels[index].frequency_hz) or 0 for index in narrow]
    return [
        str(number),
        _row(narrow[0], narrow[-1]),
        _between((first, last)),
        *(text for index in wide for text in (str(index), _mhz(plan.channels[index].frequency_hz))),
        _between((rx1[0], rx1[-1])),
        " ".join(f"{control}:{mask:04x}" for control, mask in plan.channel_masks(indices)),
    ]


def _joining(plan: FixedPlan) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            _mhz(joined.frequency_hz),
            _mhz(joined.rx1_frequency_hz),
            _mhz(joined.rx2_frequency_hz),
            _some_mhz(joined.class_b.beacon_frequencies_hz),
            _some_mhz(joined.class_b.ping_slot_frequencies_hz),
        ]
        for joined in plan.common_join_channels
    ]
    return ["MHZ", "RX1", "RX2", "BEACON", "PING SLOT"], rows


def _rx1(plan: Plan, *, dwell: bool) -> tuple[list[str], list[list[str]]]:
    table = plan.rx1_data_rates_dwell if dwell else plan.rx1_data_rates
    rows = [[f"DR{uplink}", *map(str, row)] for uplink, row in sorted((table or {}).items())]
    return ["UPLINK", *map(str, range(plan.max_rx1_dr_offset + 1))], rows


def _bands(plan: Plan) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            _between((band.min_hz, band.max_hz)),
            "no limit" if band.duty_cycle >= 1 else f"{100 * band.duty_cycle:g} %",
            f"{band.max_eirp_dbm:g}",
        ]
        for band in plan.duty_cycle_bands
    ]
    return ["MHZ", "DUTY CYCLE", "DBM EIRP"], rows


def _station(plan: Plan, sub_bands: Sequence[int]) -> tuple[list[str], list[list[str]]]:
    told = station(plan, sub_bands)
    return ["FIELD", "VALUE"], [
        [field, msgspec.json.encode(told[field]).decode()]
        for field in ("region", "freq_range", "DRs", "upchannels")
    ]


def _rx2(plan: Plan) -> str:
    return f"{_mhz(plan.rx2_frequency_hz)} MHz DR{plan.rx2_data_rate}"


def _mhz(frequency_hz: int) -> str:
    return f"{frequency_hz / 1_000_000:.10g}"


def _between(hz: tuple[int, int]) -> str:
    return f"{_mhz(hz[0])}-{_mhz(hz[1])}"


def _row(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _some_mhz(frequencies_hz: Sequence[int]) -> str:
    """One, or the first and the last of a row and how many there are."""
    if len(frequencies_hz) == 1:
        return _mhz(frequencies_hz[0])
    return f"{len(frequencies_hz)} x {_between((frequencies_hz[0], frequencies_hz[-1]))}"
