from __future__ import annotations

import pytest

from bittern.lorawan.commands import TXParamSetupAns, TXParamSetupReq
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands import tx_param_setup

AS923 = plan("AS923-1")


@pytest.fixture
def asian(make_device):
    return make_device(plan=AS923)


def test_devices_start_as_the_region_says(asian, surroundings, want):
    assert not tx_param_setup.needs(asian.session(), surroundings(wanted=want("AS923-1")))


def test_what_the_profile_says_is_told_and_believed_once_it_is_answered(
    asian, surroundings, want, asked
):
    heard = surroundings(
        wanted=want("AS923-1", uplink_dwell_time=False, downlink_dwell_time=False, max_eirp_dbm=14)
    )
    session = asian.session()
    request = TXParamSetupReq(downlink_dwell_time=False, uplink_dwell_time=False, max_eirp=4)
    assert tx_param_setup.needs(session, heard)
    assert tx_param_setup.enqueue(session, heard) == [(request,)]
    handled = tx_param_setup.handle(TXParamSetupAns(), asked(session, request), heard)
    radio = handled.session.radio
    assert (radio.uplink_dwell, radio.downlink_dwell, radio.max_eirp) == (False, False, 4)
    assert handled.must_confirm
    assert not tx_param_setup.needs(handled.session, heard)


def test_regions_without_the_command_are_not_told(device, surroundings, want):
    heard = surroundings(wanted=want(uplink_dwell_time=True))
    assert not tx_param_setup.needs(device.session(), heard)


def test_versions_without_the_command_are_not_told(make_device, surroundings, want):
    old = make_device(MacVersion.LORAWAN_1_0_1, plan=AS923)
    heard = surroundings(wanted=want("AS923-1", max_eirp_dbm=8))
    assert not tx_param_setup.needs(old.session(), heard)


def test_the_answer_is_repeated_until_it_is_confirmed(
    asian, surroundings, want, asked, is_repeated_until_confirmed
):
    heard = surroundings(wanted=want("AS923-1", max_eirp_dbm=14))
    session = asked(asian.session(), *tx_param_setup.enqueue(asian.session(), heard)[0])
    is_repeated_until_confirmed(tx_param_setup, TXParamSetupAns(), session, heard)


def test_an_answer_that_nobody_asked_for_changes_nothing(
    asian, surroundings, want, is_named_unasked
):
    heard = surroundings(wanted=want("AS923-1", max_eirp_dbm=14))
    is_named_unasked(tx_param_setup, TXParamSetupAns(), asian.session(), heard)
