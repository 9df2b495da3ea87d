from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bittern.lorawan.frame import JoinRequest, parse
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.join import JoinGranted
from bittern.mac.join_accept import Terms
from bittern.mac.refused import Refused
from bittern.network.join_server import Asked, EitherJoinServer, EmbeddedJoinServer
from bittern.store.records import JoinServerActivation
from bittern.testing import examples
from bittern.types import DevAddr, NetID, Refusal


class Elsewhere:
    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def answer(self, asked: Asked) -> Refused:
        self.asked.append(asked)
        return Refused(Refusal.JOIN_SERVER_REFUSED, "elsewhere")


async def asking(stage: Any) -> Asked:
    device = await stage.otaa(MacVersion.LORAWAN_1_0_3)
    phy_payload = device.join_request()
    request = parse(phy_payload)
    assert isinstance(request, JoinRequest)
    stored = await stage.store.device(stage.dev_eui)
    terms = Terms(
        profile=examples.DEVICE_PROFILE,
        plan=plan("EU868"),
        net_id=NetID(bytes(3)),
        dev_addr=DevAddr(bytes(4)),
        now=stage.time,
    )
    return Asked(request, phy_payload, stored.activation, terms, stage.time)


async def test_root_keys_that_are_here_are_not_asked_for_elsewhere(stage: Any) -> None:
    elsewhere = Elsewhere()
    granted = await EitherJoinServer(stage.store, elsewhere).answer(await asking(stage))
    assert isinstance(granted, JoinGranted)
    assert elsewhere.asked == []


async def test_what_is_granted_is_compared_with_what_was_read_when_it_is_stored(stage: Any) -> None:
    server, asked = EmbeddedJoinServer(stage.store), await asking(stage)
    granted = await server.answer(asked)
    assert isinstance(granted, JoinGranted)
    assert granted.before is None
    await stage.store.activate(granted.before, granted.after, granted.session)
    refused = await server.answer(asked)
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.DEV_NONCE_REPLAYED


@pytest.mark.parametrize("there", [True, False])
async def test_root_keys_elsewhere_are_asked_for_there(stage: Any, there: bool) -> None:
    elsewhere = Elsewhere()
    here = await asking(stage)
    assert here.request.join_eui is not None
    activation = JoinServerActivation(join_eui=here.request.join_eui)
    asked = msgspec.structs.replace(here, activation=activation)
    refused = await EitherJoinServer(stage.store, elsewhere if there else None).answer(asked)
    assert isinstance(refused, Refused)
    if there:
        assert elsewhere.asked == [asked]
    else:
        assert refused.refusal is Refusal.JOIN_SERVER_UNAVAILABLE
        assert "join_server.uri names none" in refused.reason
