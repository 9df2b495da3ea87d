from __future__ import annotations

from bittern.store.ports.sessions import is_successor
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore


def test_numbers_make_different_devices() -> None:
    assert len({examples.device(number).id for number in range(300)}) == 300
    assert len({examples.dev_eui(number) for number in range(300)}) == 300
    assert len({examples.delivery(number).message_id for number in range(300)}) == 300


def test_a_next_session_is_a_successor() -> None:
    before = examples.session()
    assert is_successor(before, examples.next_session(before))
    assert examples.next_session(before, fcnt_up=9).fcnt_up == 9


def test_the_session_keys_are_four() -> None:
    keys = examples.session_keys()
    assert keys.f_nwk_s_int_key != keys.s_nwk_s_int_key != keys.nwk_s_enc_key != keys.app_s_key


async def test_everything_fits_together() -> None:
    store = MemoryStore()
    await examples.register(store, devices=2)
    await store.add_gateway(examples.GATEWAY)
    await store.add_certificate(examples.CERTIFICATE)
    await store.activate(None, examples.join_state(1), examples.session(1))
    await store.enqueue(examples.downlink())
    assert await store.devices() == [examples.device(0), examples.device(1)]
