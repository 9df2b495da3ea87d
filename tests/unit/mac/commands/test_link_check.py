from __future__ import annotations

import pytest

from bittern.lorawan.commands import LinkCheckAns, LinkCheckReq
from bittern.mac.commands import link_check


@pytest.mark.parametrize(
    ("data_rate", "snr_db", "margin"),
    [(5, 5.0, 12), (0, -5.0, 15), (0, -20.0, 0), (5, -9.0, 0), (5, 400.0, 254)],
)
def test_the_margin_is_told_within_its_range(device, surroundings, data_rate, snr_db, margin):
    heard = surroundings(snr_db=snr_db, data_rate=data_rate)
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
