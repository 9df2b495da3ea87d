"""LoRaWAN versions and what differs between them.

Nothing else compares versions: who needs a difference names it here.
"""

from __future__ import annotations

import re
from enum import StrEnum


class MacVersion(StrEnum):
    """The link-layer version that a device implements."""

    LORAWAN_1_0_0 = "1.0.0"
    LORAWAN_1_0_1 = "1.0.1"
    LORAWAN_1_0_2 = "1.0.2"
    LORAWAN_1_0_3 = "1.0.3"
    LORAWAN_1_0_4 = "1.0.4"
    LORAWAN_1_1 = "1.1"

    @classmethod
    def parse(cls, text: str) -> MacVersion:
        """From how people write it: ``1.0.3``, ``1.0``, ``v1.0.2``, ``LoRaWAN 1.1``, ``1.1.0``.

        Raises ``ValueError``.
        """
        match = _NUMBERS.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a LoRaWAN version; {_KNOWN}")
        minor, patch = int(match["minor"]), int(match["patch"] or 0)
        version = _BY_NUMBERS.get((minor, patch))
        if version is None:
            raise ValueError(f"there is no LoRaWAN {text.strip()}; {_KNOWN}")
        return version


_NUMBERS = re.compile(
    r"(?:lorawan)?[ _v-]*1[._](?P<minor>\d{1,9})(?:[._](?P<patch>\d{1,9}))?",
    re.IGNORECASE | re.ASCII,
)
_BY_NUMBERS = {
    **{(0, patch): MacVersion(f"1.0.{patch}") for patch in range(5)},
    (1, 0): MacVersion.LORAWAN_1_1,
    (1, 1): MacVersion.LORAWAN_1_1,
}
_KNOWN = "there are " + ", ".join(MacVersion)

_BEFORE_1_0_2 = frozenset((MacVersion.LORAWAN_1_0_0, MacVersion.LORAWAN_1_0_1))
_BEFORE_1_0_3 = frozenset(
    (MacVersion.LORAWAN_1_0_0, MacVersion.LORAWAN_1_0_1, MacVersion.LORAWAN_1_0_2)
)


def is_1_1(version: MacVersion) -> bool:
    """Two network integrity keys, encrypted FOpts, two downlink counters, rejoin-requests."""
    return version is MacVersion.LORAWAN_1_1


def uses_nwk_key(version: MacVersion) -> bool:
    """The root key of the network side is a key of its own, beside the AppKey (1.1, 6.1.1.3)."""
    return is_1_1(version)


def encrypts_fopts(version: MacVersion) -> bool:
    """LoRaWAN 1.1, 4.3.1.6."""
    return is_1_1(version)


def has_two_downlink_counters(version: MacVersion) -> bool:
    """NFCntDown for FPort 0 and no port, AFCntDown for the others (1.1, 4.3.1.5)."""
    return is_1_1(version)


def mic_covers_acknowledged_counter(version: MacVersion) -> bool:
    """ConfFCnt is in the MIC of a frame that acknowledges (1.1, 4.4)."""
    return is_1_1(version)


def has_max_fcnt_gap(version: MacVersion) -> bool:
    """A counter too far above the last one is refused (1.0.3, 4.3.1.5); gone with 1.0.4 and 1.1."""
    return version not in (MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1)


def masks_channels_by_cf_list(version: MacVersion) -> bool:
    """CFListType 1 of fixed plans: since the regional parameters of 1.0.3."""
    return version not in _BEFORE_1_0_3


def increments_dev_nonce(version: MacVersion) -> bool:
    """DevNonce is a counter; before it was drawn at random (TS001-1.0.4, 6.2.2; 1.1, 6.2.2)."""
    return version in (MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1)


def indicates_session_by_rekey(version: MacVersion) -> bool:
    """A joined device sends RekeyInd until RekeyConf (1.1, 5.10); others prove it by any uplink."""
    return is_1_1(version)


def resets_by_command(version: MacVersion) -> bool:
    """An ABP device that restarts says so by ResetInd; its counters go on (1.1, 5.1, 4.3.1.5)."""
    return is_1_1(version)


def has_device_time(version: MacVersion) -> bool:
    """DeviceTimeReq, and no more BeaconTimingReq (1.0.3, 5.9)."""
    return version not in _BEFORE_1_0_3


def answers_link_adr_as_block(version: MacVersion) -> bool:
    """Contiguous LinkADRReq are taken or refused together (1.0.2, 5.2; TS001-1.0.4, 5.2).

    Before 1.0.2 every LinkADRReq stands for itself.
    """
    return version not in _BEFORE_1_0_2


def keeps_by_15(version: MacVersion) -> bool:
    """DataRate or TXPower 15 of a LinkADRReq keeps what is (TS001-1.0.4, 5.2; 1.1, 5.3)."""
    return version in (MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1)


def repeats_receive_answers(version: MacVersion) -> bool:
    """What moves a receive window is answered in every uplink until a class A downlink comes
    (1.0.2, 5.4 and 5.7; TS001-1.0.4, 5). Before, the answer came once and could be lost."""
    return version not in _BEFORE_1_0_2


def has_tx_param_setup(version: MacVersion) -> bool:
    """TXParamSetupReq (1.0.2, 5.8), where the region has it too."""
    return version not in _BEFORE_1_0_2


def has_dl_channel(version: MacVersion) -> bool:
    """DlChannelReq (1.0.2, 5.6)."""
    return version not in _BEFORE_1_0_2


def has_beacon_timing(version: MacVersion) -> bool:
    """BeaconTimingReq, which DeviceTimeReq replaced in 1.0.3 (1.0.3, 14.4: deprecated)."""
    return version in _BEFORE_1_0_3


def has_ping_slot_channel(version: MacVersion) -> bool:
    """PingSlotChannelReq with one data rate: before 1.0.3 class B was provisional, and the octet a
    range (1.0.3, 14.3)."""
    return version not in _BEFORE_1_0_3


def has_adr_param_setup(version: MacVersion) -> bool:
    """ADRParamSetupReq (1.1, 5.11)."""
    return is_1_1(version)


def has_rejoin(version: MacVersion) -> bool:
    """Rejoin-requests, ForceRejoinReq and RejoinParamSetupReq (1.1, 5.13, 5.14 and 6.2.4)."""
    return is_1_1(version)


def announces_class(version: MacVersion) -> bool:
    """Class C is announced by DeviceModeInd (1.1, 18.1); others are of their profile's class."""
    return is_1_1(version)
