"""Whatever a client sends to Cloud Control, it is told an answer or what is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from typing import Any, cast

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bittern.api.cloud_control import patching
from bittern.api.cloud_control.memory import as_given, remembered
from bittern.api.cloud_control.types import TYPES
from bittern.api.errors import ApiError
from bittern.api.front import Call, Caller
from bittern.api.model import service
from bittern.api.operations import Endpoints, Services, offered
from bittern.api.policy import READY, policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant

ACCOUNT = "123456789012"
ROLE = "arn:aws:iam::123456789012:role/any"
NAMES = sorted(
    {name for of in TYPES for name in (*of.settable, *(path[-1] for path in of.read_only))}
    | {"OtaaV10x", "AbpV10x", "AppKey", "AppEui", "DevEui", "FPorts", "Key", "Value", "RfRegion"}
    | {link.property for of in TYPES for link in of.links}
)

BASES: dict[str, dict[str, Any]] = {
    "Destination": {
        "Name": "x",
        "ExpressionType": "MqttTopic",
        "Expression": "x",
        "RoleArn": ROLE,
        "Tags": [{"Key": "x", "Value": ""}],
    },
    "DeviceProfile": {"Name": "x", "LoRaWAN": {"RfRegion": "AS923", "MacVersion": "1.0.3"}},
    "ServiceProfile": {"LoRaWAN": {"AddGwMetadata": True}},
    "WirelessGateway": {
        "LoRaWAN": {
            "GatewayEui": "00-80-00-00-A0-00-00-01",
            "RfRegion": "US902",
            "NetIdFilters": ["000001"],
            "MaxEirp": 14.0,
        }
    },
    "TaskDefinition": {
        "AutoCreateTasks": False,
        "Update": {
            "UpdateDataSource": "s3://bucket/x",
            "LoRaWAN": {
                "UpdateSignature": "bm8gc2lnbmF0dXJl",
                "SigKeyCrc": 3434210794,
                "CurrentVersion": {"Station": "2.0.5", "Model": "linux", "PackageVersion": "1.0.0"},
                "UpdateVersion": {"Station": "2.0.6", "Model": "linux", "PackageVersion": "1.0.1"},
            },
        },
    },
    "MulticastGroup": {"LoRaWAN": {"RfRegion": "EU868", "DlClass": "ClassC"}},
    "FuotaTask": {
        "LoRaWAN": {"RfRegion": "EU868"},
        "FirmwareUpdateImage": "s3://bucket/x",
        "FirmwareUpdateRole": ROLE,
        "RedundancyPercent": 5,
    },
    "NetworkAnalyzerConfiguration": {"Name": "x", "TraceContent": {"LogLevel": "INFO"}},
}
"""Properties that make a resource, by type."""

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars | st.sampled_from(["EU868", "LoRaWAN", "x", "00" * 8, "ab" * 16]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
models = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
paths = st.lists(st.sampled_from([*NAMES, "0", "1", "-", "", "~0", "~1"]), max_size=4).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
steps = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": paths,
        "from": paths,
        "value": values,
    }
)


class World:
    def __init__(self) -> None:
        self.services = Services(
            store=MemoryStore(),
            now=lambda: Instant(0),
            randomness=random.Random(1),
            secret=bytes(32),
            authority=cast(Any, None),
            endpoints=Endpoints("", ""),
        )

    async def ask(self, name: str, **parameters: Any) -> dict[str, Any]:
        caller = Caller(ACCOUNT, "A", "arn", policy(READY["administrator"]), SecretAccessKey("x"))
        operation = service("cloudcontrol").operation(name)
        call = Call(operation, caller, "eu-west-1", "request", Instant(1_800_000_000))
        answer = await offered()["cloudcontrol", name](self.services, call, parameters)
        return cast(dict[str, Any], answer)


def mutated(model: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """With those steps of the patch that fit."""
    for step in patch:
        with contextlib.suppress(ApiError):
            model = patching.patched(model, json.dumps([step]))
    return model


kinds = st.sampled_from(sorted(BASES))


@settings(deadline=None, max_examples=150)
@given(kinds, st.lists(steps, max_size=4), models)
def test_any_desired_state_has_an_answer(
    kind: str, patch: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    async def asked(model: dict[str, Any]) -> None:
        name = f"AWS::IoTWireless::{kind}"
        with contextlib.suppress(ApiError):
            answer = await World().ask(
                "CreateResource", TypeName=name, DesiredState=json.dumps(model)
            )
            assert answer["ProgressEvent"]["OperationStatus"] in ("SUCCESS", "FAILED")

    asyncio.run(asked(mutated(BASES[kind], patch)))
    asyncio.run(asked(more))


@settings(deadline=None, max_examples=200)
@given(kinds, st.lists(steps, min_size=1, max_size=4))
def test_any_patch_has_an_answer(kind: str, patch: list[dict[str, Any]]) -> None:
    async def asked() -> None:
        world, name = World(), f"AWS::IoTWireless::{kind}"
        state = json.dumps(BASES[kind])
        made = await world.ask("CreateResource", TypeName=name, DesiredState=state)
        assert made["ProgressEvent"]["OperationStatus"] == "SUCCESS", made
        identifier = made["ProgressEvent"]["Identifier"]

        async def told() -> dict[str, Any]:
            found = await world.ask("GetResource", TypeName=name, Identifier=identifier)
            model: dict[str, Any] = json.loads(found["ResourceDescription"]["Properties"])
            return model

        before = await told()
        answer = await world.ask(
            "UpdateResource", TypeName=name, Identifier=identifier, PatchDocument=json.dumps(patch)
        )
        event = answer["ProgressEvent"]
        assert event["OperationStatus"] in ("SUCCESS", "FAILED")
        after = await told()
        assert after["Arn"] == before["Arn"]
        if event.get("ErrorCode") in ("NotUpdatable", "InvalidRequest") and len(patch) == 1:
            assert after == before

    asyncio.run(asked())


@given(models, st.lists(steps, max_size=6))
def test_a_patch_leaves_what_it_is_applied_to_alone(
    model: dict[str, Any], patch: list[dict[str, Any]]
) -> None:
    before = msgspec.json.encode(model)
    try:
        after = patching.patched(model, json.dumps(patch))
    except ApiError:
        pass
    else:
        msgspec.json.encode(after)
    assert msgspec.json.encode(model) == before


@given(models, models)
def test_a_memory_changes_no_text_into_another_kind_of_value(
    given_: dict[str, Any], told: dict[str, Any]
) -> None:
    memory = remembered(given_, told, frozenset())
    again = msgspec.json.decode(msgspec.json.encode(memory), type=type(memory))
    assert again == memory
    after = as_given(memory, told)
    assert {name: type(after[name]) for name in told if told[name] is not None} == {
        name: type(value) for name, value in told.items() if value is not None
    }
    assert {after[name] for name in after.keys() - told.keys()} <= {""}
