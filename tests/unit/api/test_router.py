from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from bittern.api import router
from bittern.api.errors import UNKNOWN_OPERATION, VALIDATION, ApiError
from bittern.api.message import Request
from bittern.api.model import Operation, service

sys.path.insert(0, str(Path(__file__).parent))
from oracle import OPERATIONS, operation_of

REST = [operation for operation in OPERATIONS if operation.service.protocol == "rest-json"]
NAME = "a/b c%*é"


def refused(request: Request, name: str = "iotwireless") -> str:
    with pytest.raises(ApiError) as refusal:
        router.route(service(name), request)
    return refusal.value.code


@pytest.mark.parametrize("operation", REST, ids=lambda each: f"{each.service.name}.{each.name}")
def test_every_path_leads_to_its_operation_with_its_labels(operation: Operation) -> None:
    labels = re.findall(r"\{(\w+)\+?\}", operation.uri)
    path = re.sub(r"\{\w+\+?\}", quote(NAME, safe=""), operation.uri)
    found = router.route(operation.service, Request(operation.method, path, "", {}))
    assert found.operation is operation
    assert found.labels == dict.fromkeys(labels, NAME)


def test_a_greedy_label_takes_slashes() -> None:
    request = Request("GET", "/destinations/arn:aws:iot/http/x%2Fy", "", {})
    found = router.route(service("iot"), request)
    assert (found.operation.name, found.labels) == (
        "GetTopicRuleDestination",
        {"arn": "arn:aws:iot/http/x/y"},
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("PUT", "/wireless-devices"),
        ("GET", "/wireless-devices/"),
        ("DELETE", "/wireless-devices//data"),
        ("DELETE", "/wireless-devices/x/../y"),
        ("GET", "/wireless-devices/."),
        ("GET", "wireless-devices"),
        ("GET", "x/wireless-devices"),
        ("GET", ""),
    ],
)
def test_no_other_path_leads_anywhere(method: str, path: str) -> None:
    assert refused(Request(method, path, "", {})) == UNKNOWN_OPERATION


def test_names_in_the_query_may_repeat() -> None:
    fields = router.decoded_fields("tagKeys=a%20b&tagKeys=c+d&x=%2A&empty=&&=y")
    assert fields == {"tagKeys": ["a b", "c d"], "x": ["*"], "empty": [""]}


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/wireless-devices/%ff", "", {}),
        Request("GET", "/wireless-devices", "nextToken=%ff", {}),
        Request("GET", "/wireless-devices/\udcff", "", {}),
        Request("GET", "/wireless-devices", "a&" * 2000, {}),
    ],
)
def test_text_that_does_not_decode_is_refused(request_: Request) -> None:
    assert refused(request_) == VALIDATION


def test_cloud_control_has_the_operation_in_a_header() -> None:
    headers = {"x-amz-target": "CloudApiService.GetResource"}
    found = router.route(service("cloudcontrol"), Request("POST", "/", "", headers))
    assert found.operation is operation_of("GetResource", "cloudcontrol")
    for wrong in ("GetResource", "Other.GetResource", "CloudApiService.Nothing", ""):
        request = Request("POST", "/", "", {"x-amz-target": wrong})
        assert refused(request, "cloudcontrol") == UNKNOWN_OPERATION


def test_sts_has_the_operation_in_a_form_or_in_the_query() -> None:
    form = "Action=GetCallerIdentity&Version=2011-06-15"
    posted = router.route(service("sts"), Request("POST", "/", "", {}, form.encode()))
    presigned = router.route(service("sts"), Request("GET", "/", form, {}))
    assert posted.operation is presigned.operation is operation_of("GetCallerIdentity", "sts")
    assert refused(Request("POST", "/", "", {}, b"Action=X"), "sts") == UNKNOWN_OPERATION
    assert refused(Request("POST", "/", "", {}, b"\xff"), "sts") == VALIDATION
