from __future__ import annotations

from typing import get_args

from bittern.store.ports.sessions import Deliver
from bittern.store.records import AbpActivation, Change, ChangeKind
from bittern.testing.examples import DEV_ADDR, delivery, device, session, session_keys


def test_no_record_prints_a_key() -> None:
    abp = AbpActivation(dev_addr=DEV_ADDR, keys=session_keys())
    shown = repr([device(), device(activation=abp), session(), Deliver(delivery())])
    for secret in ("root application", "root network key", "forwarding", "application sess"):
        assert secret not in shown
        assert secret.encode().hex() not in shown


def test_a_change_is_of_a_known_kind() -> None:
    assert "device" in get_args(ChangeKind)
    assert Change(1, "device", "70b3d57ed0000001").kind == "device"
