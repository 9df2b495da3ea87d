from __future__ import annotations

import itertools
import json
from base64 import b64encode

import pytest

from bench.fleet import Fleet
from bench.frames import Load, arrivals, data_frame, identify
from bittern.lorawan.crypto import crypt_frm_payload, data_up_mic_1_0
from bittern.lorawan.frame import parse
from bittern.simulator.station_text import data_fields

FLEET = Fleet(devices=4, gateways=3)


def test_frame_is_one_that_its_device_would_send() -> None:
    device = FLEET.device(2)
    phy = data_frame(device, 70_000, b"payload")
    frame = parse(phy)
    assert frame.fcnt16 == 70_000 & 0xFFFF
    assert frame.mic == data_up_mic_1_0(
        device.keys.f_nwk_s_int_key, phy[:-4], device.dev_addr, 70_000
    )
    clear = crypt_frm_payload(
        device.keys.app_s_key, frame.frm_payload, device.dev_addr, 70_000, uplink=True
    )
    assert clear == b"payload"


def test_message_is_the_one_a_station_would_write() -> None:
    load = Load(fleet=FLEET, uplinks=4, run=7)
    for (copy,) in load.build():
        told = json.loads(copy.message)
        dev_addr = (told["DevAddr"] & 0xFFFFFFFF).to_bytes(4, "little")
        phy = (
            bytes((told["MHdr"],))
            + dev_addr
            + bytes((told["FCtrl"],))
            + told["FCnt"].to_bytes(2, "little")
            + bytes((told["FPort"],))
            + bytes.fromhex(told["FRMPayload"])
            + told["MIC"].to_bytes(4, "little", signed=True)
        )
        expected = data_fields(phy)
        expected["FRMPayload"] = expected["FRMPayload"].lower()
        assert {key: told[key] for key in expected} == expected


def test_every_device_counts_and_the_next_run_goes_on() -> None:
    load = Load(fleet=FLEET, uplinks=10, run=7, first_fcnt=5)
    counters: dict[int, list[int]] = {}
    for (copy,) in load.build():
        told = json.loads(copy.message)
        counters.setdefault(told["DevAddr"], []).append(told["FCnt"])
    assert sorted(counters.values()) == [[5, 6], [5, 6], [5, 6, 7], [5, 6, 7]]
    assert load.next_fcnt == 8


def test_copies_come_by_different_gateways() -> None:
    for copies in Load(fleet=FLEET, uplinks=8, run=7, copies=2).build():
        assert len({copy.gateway for copy in copies}) == 2


@pytest.mark.parametrize("separator", ['"PayloadData":"', '"PayloadData": "'])
def test_delivered_message_is_recognised(separator: str) -> None:
    payload = b64encode((7).to_bytes(4, "big") + (1234).to_bytes(4, "big") + b"rest").decode()
    assert identify(f'{{"MessageId":"x",{separator}{payload}"}}'.encode()) == (7, 1234)


@pytest.mark.parametrize("message", [b"", b"{}", b'{"PayloadData":"AQ=="}', b'{"PayloadData":"'])
def test_other_messages_are_not(message: bytes) -> None:
    assert identify(message) is None


def test_arrivals_come_at_the_rate_and_in_order() -> None:
    times = arrivals(1000.0, 20_000, seed=1)
    assert list(times) == sorted(times)
    assert 19.0 < times[-1] < 21.0
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps) > 5 * min(gaps)
