from __future__ import annotations

import msgspec
import pytest

from bittern.mac.session import NO_FCNT, JoinState, Session, SpentNonces
from bittern.types import EUI64, DevEUI, JoinEUI


def test_a_session_does_not_change(device):
    session = device.session()
    with pytest.raises(AttributeError):
        session.fcnt_up = 3
    assert session.fcnt_up == NO_FCNT


def test_a_session_prints_no_key(device):
    text = repr(device.session())
    for name in device.keys.__slots__:
        assert getattr(device.keys, name).reveal().hex() not in text


def test_every_field_of_the_next_session_is_compared(device):
    session = device.session()
    assert session == device.session()
    assert session != msgspec.structs.replace(session, repeats=1)


@pytest.mark.parametrize(("generation", "joined"), [(0, False), (1, True)])
def test_a_session_knows_whether_it_was_joined(device, generation, joined):
    assert device.session(generation=generation).joined is joined


def test_what_was_added_later_has_a_default():
    # Sessions stored before these fields were known are still read.
    for name in ("counts_32_bits", "repeats", "confirmed_down", "awaited_ack"):
        field = next(f for f in msgspec.structs.fields(Session) if f.name == name)
        assert not field.required


def test_the_first_join_nonce_is_1():
    # A device starts with 0 as the last one it has seen (1.1, 6.2.3).
    eui = EUI64.from_int(1)
    assert JoinState(dev_eui=DevEUI(eui), join_eui=JoinEUI(eui)).next_join_nonce == 1


def test_a_join_state_goes_from_one_join_eui_to_another_and_back():
    one, other, third = (JoinEUI(EUI64.from_int(number)) for number in (1, 2, 3))
    dev_eui = DevEUI(EUI64.from_int(9))
    used = frozenset((3, 5))
    state = JoinState(
        dev_eui=dev_eui,
        join_eui=one,
        next_join_nonce=4,
        last_dev_nonce=5,
        used_dev_nonces=used,
        last_rj_count1=8,
    )
    assert state.under(one) is state
    there = state.under(other)
    assert there == JoinState(
        dev_eui=dev_eui,
        join_eui=other,
        next_join_nonce=4,
        earlier=(SpentNonces(one, 5, used, 8),),
    )
    further = there.under(third)
    assert [spent.join_eui for spent in further.earlier] == [one, other]
    back = further.under(one)
    assert (back.last_dev_nonce, back.used_dev_nonces, back.last_rj_count1) == (5, used, 8)
    assert [spent.join_eui for spent in back.earlier] == [other, third]
