import logging

import pytest

from bittern.mac.commands.notices import CommandProblem
from bittern.network.events import FrameRefused, MacCommandIgnored, UplinkDelivered
from bittern.network.journal import Journal
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI, Instant, Refusal

DEVICE = DevEUI(EUI64.from_hex("a84041d55182720b"))
GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))

REFUSED = FrameRefused(
    at=Instant(1.0),
    refusal=Refusal.MIC_MISMATCH,
    reason="no session at this address has this MIC",
    dev_addr=DevAddr.from_hex("01ab23cd"),
    gateway_eui=GATEWAY,
)
DELIVERED = UplinkDelivered(
    at=Instant(1.0),
    dev_eui=DEVICE,
    dev_addr=DevAddr.from_hex("01ab23cd"),
    fcnt=7,
    fport=2,
    payload=b"top secret",
    confirmed=False,
    frequency_hz=868_100_000,
    data_rate=5,
    gateways=((GATEWAY, -60, 7.5),),
)


def test_a_refusal_is_one_structured_line_that_names_it(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "bittern.network"):
        Journal().record(REFUSED)
    (line,) = caplog.messages
    assert line == (
        'refusal refusal=mic_mismatch reason="no session at this address has this MIC"'
        " dev_addr=01ab23cd gateway_eui=0016c001ff000001"
    )


def test_every_refusal_is_counted_under_its_name():
    journal = Journal()
    journal.record(REFUSED)
    journal.record(REFUSED)
    assert journal.refusals == {Refusal.MIC_MISMATCH: 2}
    assert journal.events == {"refusal": 2}


def test_a_payload_never_reaches_the_log(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG, "bittern.network"):
        Journal().record(DELIVERED)
    assert "secret" not in caplog.text
    assert "fcnt=7" in caplog.text


def test_who_listens_hears_of_events_but_makes_nobody_describe_uplinks():
    journal, heard = Journal(), []
    with journal.listening(heard.append):
        journal.record(REFUSED)
        assert not journal.watched
    journal.record(REFUSED)
    assert heard == [REFUSED]


def test_watchers_see_every_event_while_they_watch():
    journal = Journal()
    seen = []
    with journal.watching(seen.append):
        assert journal.watched
        journal.record(DELIVERED)
    journal.record(REFUSED)
    assert seen == [DELIVERED]


def test_every_problem_of_a_mac_command_is_counted_under_its_name(
    caplog: pytest.LogCaptureFixture,
):
    journal = Journal()
    with caplog.at_level(logging.WARNING, "bittern.network"):
        for _ in range(2):
            journal.record(
                MacCommandIgnored(
                    at=Instant(1.0),
                    dev_eui=DEVICE,
                    command="DutyCycleAns()",
                    problem=CommandProblem.NOT_ASKED,
                )
            )
    assert journal.mac_problems == {CommandProblem.NOT_ASKED: 2}
    assert caplog.messages[0] == (
        "mac_ignored dev_eui=a84041d55182720b command=DutyCycleAns() problem=answer_not_asked_for"
    )
