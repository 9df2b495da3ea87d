from __future__ import annotations

import pytest

from bittern.store.records import DEFAULT_ACCOUNT, ServiceProfile

NORTH = "111122223333"

EVERYTHING = (
    *("--adr", "off", "--dr-min", "1", "--dr-max", "4", "--tx-power-index-min", "1"),
    *("--tx-power-index-max", "5", "--nb-trans-min", "1", "--nb-trans-max", "2"),
    *("--max-duty-cycle", "7", "--status-requests", "1", "--no-gateway-metadata"),
    *("--no-report-battery", "--no-report-margin", "--passive-roaming", "--roaming-activation"),
)


def profiles(bittern) -> list[ServiceProfile]:
    return bittern.stored(lambda store: store.service_profiles(DEFAULT_ACCOUNT))


def test_every_field_can_be_set(bittern) -> None:
    done = bittern.done("service-profile", "add", "plain", *EVERYTHING)
    (found,) = profiles(bittern)
    assert done.stdout.strip() == found.id
    assert found == ServiceProfile(
        id=found.id,
        name="plain",
        add_gateway_metadata=False,
        dr_min=1,
        dr_max=4,
        tx_power_index_min=1,
        tx_power_index_max=5,
        nb_trans_min=1,
        nb_trans_max=2,
        adr_algorithm="",
        max_duty_cycle=7,
        dev_status_req_freq=1,
        report_dev_status_battery=False,
        report_dev_status_margin=False,
        passive_roaming=True,
        roaming_activation=True,
    )
    unset = ServiceProfile(id=found.id, name="plain")
    same = {
        name for name in found.__struct_fields__ if getattr(found, name) == getattr(unset, name)
    }
    assert same == {"account", "id", "name"}, "an option for every field"


def test_what_is_not_given_is_as_the_record_has_it(bittern) -> None:
    bittern.done("service-profile", "add", "plain")
    (found,) = profiles(bittern)
    assert found == ServiceProfile(id=found.id, name="plain")


def test_list_show_and_remove(bittern) -> None:
    added = bittern.done("service-profile", "add", "plain", *EVERYTHING, "--json").json
    header, row = bittern.done("service-profile", "list").stdout.splitlines()
    assert header.split()[:2] == ["NAME", "ADR"]
    assert row.split()[:3] == ["plain", "off", "1..4"]
    assert bittern.done("service-profile", "list", "--json").json == [added]
    assert bittern.done("service-profile", "show", "plain", "--json").json == added
    assert "passive roaming" in bittern.done("service-profile", "show", added["id"]).stdout
    bittern.done("service-profile", "remove", "plain")
    assert profiles(bittern) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--dr-min", "5", "--dr-max", "4"), "drMin"),
        (("--dr-max", "99"), "drMax"),
        (("--max-duty-cycle", "16"), "less than or equal to 15"),
    ],
)
def test_what_the_operation_refuses_is_wrong_usage(
    bittern, options: tuple[str, ...], told: str
) -> None:
    refused = bittern("service-profile", "add", "plain", *options)
    assert refused.exit_code == 2
    assert told in refused.stderr


def test_profiles_are_of_one_account(bittern) -> None:
    bittern.done("account", "add", "north", "--id", NORTH)
    bittern.done("service-profile", "add", "plain", "--account", NORTH)
    assert bittern.done("service-profile", "list", "--json").json == []
    refused = bittern("service-profile", "remove", "plain")
    assert refused.stderr == "bittern: no service profile plain\n"
