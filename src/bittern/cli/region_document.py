"""A region's plan as one JSON document: every table, and what stations are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bittern.gateway.router_config import GatewaySettings, router_config
from bittern.lorawan.regions.plan import (
    Channel,
    ClassB,
    DataRate,
    FixedPlan,
    PayloadSizes,
    Plan,
)

Document = dict[str, object]


def summary(plan: Plan) -> Document:
    return {
        "name": plan.name,
        "common_name": plan.common_name,
        "channel_plan": kind(plan),
        "frequency_range_hz": plan.frequency_range_hz,
        "max_eirp_dbm": plan.max_eirp_dbm,
        "rx2": {"frequency_hz": plan.rx2_frequency_hz, "data_rate": plan.rx2_data_rate},
        "station_region": plan.station_region,
    }


def document(plan: Plan, sub_bands: Sequence[int] = ()) -> Document:
    """Channels are those of ``sub_bands`` only, if any are given. Raises ``ValueError`` on a
    sub-band that is none."""
    channels = plan.uplink_channels(sub_bands)
    return summary(plan) | {
        "data_rates": [
            _data_rate(dr, row, plan.payload_sizes) for dr, row in sorted(plan.data_rates.items())
        ],
        "tx_powers_dbm": [
            plan.tx_power_dbm(index) for index in range(len(plan.tx_power_offsets_db))
        ],
        "channels": [_channel(plan, channel) for channel in channels],
        "join_channels": [_joined(plan, channel) for channel in plan.join_channels],
        "rx1_data_rates": _table(plan.rx1_data_rates),
        "rx1_data_rates_dwell": _table(plan.rx1_data_rates_dwell or plan.rx1_data_rates),
        "cf_list": _cf_list(plan, sub_bands),
        "link_adr_masks": _masks(plan, channels),
        "class_b": _class_b(plan.class_b),
        "duty_cycle_bands": [band._asdict() for band in plan.duty_cycle_bands],
        "dwell_time": {
            "tx_param_setup": plan.has_tx_param_setup,
            "uplink_at_start": plan.boot_uplink_dwell,
            "downlink_at_start": plan.boot_downlink_dwell,
        },
        "listen_before_talk": plan.listen_before_talk or None,
        "defaults": {
            "receive_delay1_s": plan.receive_delay1_s,
            "join_accept_delay1_s": plan.join_accept_delay1_s,
            "max_fcnt_gap": plan.max_fcnt_gap,
            "adr_ack_limit": plan.adr_ack_limit,
            "adr_ack_delay": plan.adr_ack_delay,
        },
        "router_config": station(plan, sub_bands),
    }


def kind(plan: Plan) -> str:
    return "fixed" if isinstance(plan, FixedPlan) else "dynamic"


def station(plan: Plan, sub_bands: Sequence[int] = ()) -> Document:
    """``router_config``, for a gateway with a board for each sub-band."""
    settings = GatewaySettings(sub_bands=tuple(sub_bands), boards=max(1, len(set(sub_bands))))
    told: Document = msgspec.to_builtins(router_config(plan, settings))
    return told


def _data_rate(dr: int, row: DataRate, sizes: PayloadSizes) -> Document:
    return {
        "data_rate": dr,
        "modulation": row.modulation,
        "spreading_factor": row.spreading_factor or None,
        "bandwidth_khz": row.bandwidth_khz or None,
        "bit_rate": row.bit_rate or None,
        "coding_rate": row.coding_rate or None,
        "uplink": row.uplink,
        "downlink": row.downlink,
        "max_payload_size": {
            "plain": sizes.plain.get(dr, 0),
            "repeater": sizes.repeater.get(dr, 0),
            "dwell": (sizes.dwell or sizes.plain).get(dr, 0),
            "dwell_repeater": (sizes.dwell_repeater or sizes.dwell or sizes.repeater).get(dr, 0),
        },
    }


def _channel(plan: Plan, channel: Channel) -> Document:
    return {
        "index": plan.channel_index(channel.frequency_hz, channel.min_dr),
        **channel._asdict(),
        "rx1_frequency_hz": plan.rx1_frequency(channel.frequency_hz),
    }


def _joined(plan: Plan, channel: Channel) -> Document:
    joined = plan.joined_on(channel.frequency_hz)
    assert joined is not None, "there is RX1 for every join channel"
    return {
        "frequency_hz": joined.frequency_hz,
        "min_dr": channel.min_dr,
        "max_dr": channel.max_dr,
        "rx1_frequency_hz": joined.rx1_frequency_hz,
        "rx2_frequency_hz": joined.rx2_frequency_hz,
        "class_b": _class_b(joined.class_b),
    }


def _table(rows: Mapping[int, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """JSON's names are texts."""
    return {str(uplink): row for uplink, row in sorted(rows.items())}


def _cf_list(plan: Plan, sub_bands: Sequence[int]) -> Document | None:
    cf_list = plan.cf_list(sub_bands)
    return None if cf_list is None else {"type": cf_list[15], "bytes": cf_list.hex()}


def _masks(plan: Plan, channels: Sequence[Channel]) -> list[Document]:
    indices = [plan.channel_index(channel.frequency_hz, channel.min_dr) for channel in channels]
    masks = plan.channel_masks(index for index in indices if index is not None)
    return [{"ch_mask_cntl": control, "ch_mask": f"{mask:04x}"} for control, mask in masks]


def _class_b(class_b: ClassB) -> Document:
    return {
        "beacon_data_rate": class_b.beacon_data_rate,
        "beacon_frequencies_hz": class_b.beacon_frequencies_hz,
        "beacon_layout": class_b.beacon_layout,
        "ping_slot_data_rate": class_b.ping_slot_data_rate,
        "ping_slot_frequencies_hz": class_b.ping_slot_frequencies_hz,
    }
