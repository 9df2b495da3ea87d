from __future__ import annotations

import subprocess
import sys

import pytest
from botocore.session import get_session

from bittern.api.model import SIGNING_NAMES, service


def test_signing_names_are_those_of_the_model() -> None:
    assert {service(name).signing_name: name for name in SIGNING_NAMES.values()} == SIGNING_NAMES


def test_every_operation_of_iotwireless_is_there() -> None:
    ours = service("iotwireless")
    client = get_session().create_client("iotwireless", region_name="eu-west-1")
    assert len(ours.operation_names) == 112
    assert set(ours.operation_names) == set(client.meta.method_to_api_mapping.values())


def test_an_operation_knows_its_place_on_the_wire() -> None:
    operation = service("iotwireless").operation("CreateWirelessDevice")
    assert (operation.method, operation.uri, operation.status) == ("POST", "/wireless-devices", 201)
    assert operation.errors["ConflictException"].status == 409
    assert operation is service("iotwireless").operation("CreateWirelessDevice")
    with pytest.raises(KeyError):
        service("iotwireless").operation("CreateGateway")


@pytest.mark.parametrize(
    ("name", "operation", "action"),
    [
        ("iotwireless", "GetWirelessDevice", "iotwireless:GetWirelessDevice"),
        ("iot-data", "Publish", "iot:Publish"),
        ("cloudcontrol", "GetResource", "cloudformation:GetResource"),
    ],
)
def test_actions_are_called_as_in_iam(name: str, operation: str, action: str) -> None:
    assert service(name).operation(operation).action == action


def test_reading_changes_nothing() -> None:
    wireless = service("iotwireless")
    changing = {name for name in wireless.operation_names if wireless.operation(name).changes_state}
    assert {"SendDataToWirelessDevice", "TestWirelessDevice", "TagResource"} <= changing
    assert changing.isdisjoint({"GetMetrics", "ListTagsForResource", "GetWirelessDevice"})


def test_errors_have_their_codes_and_statuses() -> None:
    assert service("sts").errors["IDPRejectedClaim"].status == 403
    assert service("cloudcontrol").errors["TypeNotFoundException"].status == 400
    assert service("cloudcontrol").errors["ServiceInternalErrorException"].status == 500
    assert service("iot").message_member == "message"
    assert service("iotwireless").message_member == "Message"


def test_botocore_is_not_imported_before_a_service_is_asked_for() -> None:
    program = (
        "import sys; import bittern.api.front, bittern.api.paging, bittern.api.idempotency;"
        "sys.exit('botocore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_model_in_the_users_folder_changes_nothing(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "sts/2011-06-15"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text('{"metadata": {}, "operations": {}, "shapes": {}}')
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert "GetCallerIdentity" in service.__wrapped__("sts").operation_names
