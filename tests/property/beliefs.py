"""What a network believes of a device beside what the device does, in the words of the device.

The two are read from different places, written by different hands: `agree` is what a property test
demands of them.
"""

from __future__ import annotations

from bittern.mac.channel_masks import enabled_channels
from bittern.mac.session import Session
from bittern.simulator.device import SimulatedDevice
from bittern.testing.pure_network import PureNetwork


def known_of(session: Session, network: PureNetwork) -> dict[str, object]:
    """What the network believes, in the words of the device."""
    radio, plan = session.radio, network.plan
    channels = {
        channel.index: (
            channel.frequency_hz,
            channel.min_data_rate,
            channel.max_data_rate,
            channel.downlink_frequency_hz,
        )
        for channel in radio.extra_channels
    }
    return {
        "windows": (
            radio.rx1_delay_s,
            radio.rx1_dr_offset,
            radio.rx2_data_rate,
            radio.rx2_frequency_hz,
        ),
        "channels": channels,
        "enabled": set(enabled_channels(plan, radio)),
        "data_rate": radio.data_rate,
        "tx_power": radio.tx_power,
        "nb_trans": radio.nb_trans,
        "max_duty_cycle": radio.max_duty_cycle,
        "adr_ack": (1 << radio.adr_ack_limit_exp, 1 << radio.adr_ack_delay_exp),
        "rejoin": (radio.rejoin_max_time_n, radio.rejoin_max_count_n),
        "ping_slot": (radio.ping_slot_frequency_hz, radio.ping_slot_data_rate),
        "periodicity": radio.ping_slot_periodicity,
        "beacon": radio.beacon_frequency_hz,
    }


def truth_of(device: SimulatedDevice) -> dict[str, object]:
    radio, desk, region = device.radio, device.desk, device.region
    defaults = dict(enumerate(region.default_channels))
    channels = {
        index: (
            channel.frequency_hz,
            channel.min_data_rate,
            channel.max_data_rate,
            channel.downlink_frequency_hz
            if channel.downlink_frequency_hz != channel.frequency_hz
            else None,
        )
        for index, channel in radio.channels.items()
        if region.kind == "dynamic" and channel != defaults.get(index)
    }
    return {
        "windows": (
            radio.rx1_delay_s,
            radio.rx1_dr_offset,
            radio.rx2_data_rate,
            radio.rx2_frequency_hz,
        ),
        "channels": channels,
        "enabled": radio.enabled,
        "data_rate": radio.data_rate,
        "tx_power": radio.tx_power,
        "nb_trans": radio.nb_trans,
        "max_duty_cycle": radio.max_duty_cycle,
        "adr_ack": (desk.adr_ack_limit, desk.adr_ack_delay),
        "rejoin": desk.rejoin_limits or (None, None),
        "ping_slot": desk.ping_slot_channel or (0, None),
        "periodicity": desk.ping_slot_periodicity,
        "beacon": desk.beacon_frequency_hz,
    }


def disagreements(
    session: Session, network: PureNetwork, device: SimulatedDevice
) -> dict[str, tuple[object, object]]:
    """What is believed and what is so, where they differ, after an uplink of the device was heard.

    Where the device listens has to be known always. The rest has to be known when nothing that was
    asked is unanswered; but of its data rate, power and channels a device may move by itself, and
    then says so.
    """
    known, truth = known_of(session, network), truth_of(device)
    if any(not request.answered for request in session.requests):
        known, truth = {"windows": known["windows"]}, {"windows": truth["windows"]}
    elif session.radio.link_uncertain or _moves_by_itself(session, device):
        for name in ("enabled", "data_rate", "tx_power", "nb_trans"):
            del known[name], truth[name]
    if known.get("ping_slot") == (0, network.plan.class_b.ping_slot_data_rate):
        known["ping_slot"] = truth["ping_slot"] = None
    if known.get("periodicity") == device.desk.told_periodicity:
        # The network knows first: its answer may be lost.
        known["periodicity"] = truth["periodicity"] = None
    return {name: (known[name], truth[name]) for name in known if known[name] != truth[name]}


def _moves_by_itself(session: Session, device: SimulatedDevice) -> bool:
    return not device.adr and device.radio.data_rate != session.radio.data_rate
