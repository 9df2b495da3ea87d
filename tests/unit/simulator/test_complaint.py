from __future__ import annotations

from bittern.simulator.complaint import Complaint, DeviceComplaint
from bittern.types import EUI64


def test_complaint_says_who_and_what() -> None:
    eui = EUI64.from_hex("0004a30b001c0530")
    text = str(DeviceComplaint(eui, Complaint.WRONG_MIC, "FCntDown 7, ConfFCnt 0"))
    assert text == "device 0004a30b001c0530 complains: wrong_mic: FCntDown 7, ConfFCnt 0"
