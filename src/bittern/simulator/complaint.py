"""What a simulated device holds against the network: it never ignores what a real one would."""

from __future__ import annotations

from enum import StrEnum

from bittern.errors import BitternError
from bittern.types import EUI64


class Complaint(StrEnum):
    """What is wrong with a downlink, by name."""

    MALFORMED = "malformed"
    NOT_FOR_A_DEVICE = "not_for_a_device"
    NOT_JOINED = "not_joined"
    UNASKED_JOIN_ACCEPT = "unasked_join_accept"
    WRONG_MIC = "wrong_mic"
    WRONG_DEV_ADDR = "wrong_dev_addr"
    WRONG_CONF_FCNT = "wrong_conf_fcnt"
    COUNTER_WENT_BACK = "counter_went_back"
    COUNTER_GAP = "counter_gap"
    JOIN_NONCE_REUSED = "join_nonce_reused"
    WRONG_OPT_NEG = "wrong_opt_neg"
    DEV_ADDR_OUTSIDE_NET_ID = "dev_addr_outside_net_id"
    IMPOSSIBLE_PARAMETER = "impossible_parameter"
    UNASKED_ACK = "unasked_ack"
    UNASKED_ANSWER = "unasked_answer"
    UNKNOWN_COMMAND = "unknown_command"
    COMMAND_OF_ANOTHER_REGION = "command_of_another_region"
    TOO_LONG = "too_long"
    OUTSIDE_WINDOWS = "outside_windows"


class DeviceComplaint(BitternError):
    """A device refuses a downlink. ``complaint`` names what is wrong, ``detail`` the values."""

    def __init__(self, dev_eui: EUI64, complaint: Complaint, detail: str) -> None:
        super().__init__(dev_eui, complaint, detail)
        self.dev_eui = dev_eui
        self.complaint = complaint
        self.detail = detail

    def __str__(self) -> str:
        return f"device {self.dev_eui} complains: {self.complaint}: {self.detail}"


class Objection(Exception):
    """Inside the device: becomes a ``DeviceComplaint`` where the DevEUI is known."""

    def __init__(self, complaint: Complaint, detail: str) -> None:
        super().__init__(complaint, detail)
        self.complaint = complaint
        self.detail = detail
