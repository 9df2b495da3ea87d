from __future__ import annotations

import pytest

from bittern.lorawan.commands import LinkCheckAns, LinkCheckReq
from bittern.lorawan.regions.plan import lora
from bittern.mac.commands import link_check


@pytest.mark.parametrize(
    ("spreading_factor", "snr_db", "margin"),
    [(7, 5.0, 12), (12, -5.0, 15), (12, -20.0, 0), (7, -9.0, 0), (7, 400.0, 254)],
)
def test_the_margin_is_told_within_its_range(
    device, surroundings, spreading_factor, snr_db, margin
):
    heard = surroundings(snr_db=snr_db, data_rate=lora(spreading_factor, 125))
    handled = link_check.handle(LinkCheckReq(), device.session(), heard)
    assert handled.answers == (LinkCheckAns(margin=margin, gw_cnt=1),)


@pytest.mark.parametrize(("gateways", "told"), [(1, 1), (3, 3), (300, 255)])
def test_the_gateways_that_heard_it_are_counted(device, surroundings, gateways, told):
    heard = surroundings(gateway_count=gateways)
    handled = link_check.handle(LinkCheckReq(), device.session(), heard)
    assert handled.answers[0].gw_cnt == told


def test_the_session_is_left_as_it_is(device, surroundings):
    session = device.session()
    assert link_check.handle(LinkCheckReq(), session, surroundings()).session is session
