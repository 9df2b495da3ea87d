from __future__ import annotations

import msgspec
import pytest

from bittern.mac.session import NO_FCNT, JoinState, Session
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
