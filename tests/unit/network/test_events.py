import msgspec
import pytest

from bittern.mac.commands.notices import CommandProblem, Declined, Ignored, Unanswered
from bittern.network.events import (
    Event,
    MacCommandIgnored,
    MacRequestDeclined,
    MacRequestUnanswered,
    NetworkEvent,
    mac_event,
)
from bittern.testing import examples


def test_every_event_has_a_name_of_its_own():
    kinds = Event.__subclasses__()
    assert set(NetworkEvent.__args__) == set(kinds)
    assert len({kind.__struct_config__.tag for kind in kinds}) == len(kinds)


def test_every_event_says_when_it_happened():
    for kind in Event.__subclasses__():
        assert "at" in kind.__struct_fields__, kind.__name__


def test_no_event_has_a_field_that_could_hold_a_key():
    for kind in Event.__subclasses__():
        for field in msgspec.structs.fields(kind):
            assert "key" not in field.name.lower(), f"{kind.__name__}.{field.name}"


@pytest.mark.parametrize(
    ("notice", "event"),
    [
        (
            Ignored("DutyCycleAns()", CommandProblem.NOT_ASKED),
            MacCommandIgnored(
                at=examples.NOW,
                dev_eui=examples.DEV_EUI,
                command="DutyCycleAns()",
                problem=CommandProblem.NOT_ASKED,
            ),
        ),
        (
            Declined("BeaconFreqReq()", "BeaconFreqAns()"),
            MacRequestDeclined(
                at=examples.NOW,
                dev_eui=examples.DEV_EUI,
                request="BeaconFreqReq()",
                answer="BeaconFreqAns()",
            ),
        ),
        (
            Unanswered("DevStatusReq()", 3),
            MacRequestUnanswered(
                at=examples.NOW, dev_eui=examples.DEV_EUI, request="DevStatusReq()", attempts=3
            ),
        ),
    ],
)
def test_what_the_link_layer_noticed_becomes_an_event(notice, event):
    assert mac_event(notice, at=examples.NOW, session=examples.session()) == event
