"""CreateWirelessDevice without the wire: each device is judged and made as if boto3 had asked.

What a client of AWS is told here, the command line tells of a row of a file.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from bittern.api import parse, validate
from bittern.api.errors import ApiError, invalid
from bittern.api.front import Call, Caller, Parameters
from bittern.api.model import Shape, service
from bittern.api.operations import devices
from bittern.api.operations.common import checked_tags, told
from bittern.api.operations.services import Endpoints, Services
from bittern.api.policy import READY, policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.errors import Conflict, NotFound
from bittern.store.protocol import Store
from bittern.types import Instant


class DeviceRegistrar:
    """Makes devices of one account. `region` is that of the ARNs."""

    def __init__(self, store: Store, account: str, *, region: str, now: Instant) -> None:
        operation = service("iotwireless").operation("CreateWirelessDevice")
        arn = f"arn:aws:iam::{account}:root"
        administrator = policy(READY["administrator"])
        caller = Caller(account, "", arn, administrator, SecretAccessKey(""))
        self._call = Call(operation, caller, region, "", now)
        self._services = Services(
            store=store,
            now=lambda: now,
            randomness=random.SystemRandom(),
            secret=secrets.token_bytes(32),
            authority=_no_authority,
            endpoints=Endpoints("", ""),
        )

    async def create(self, given: Mapping[str, Any]) -> None:
        """ApiError for what CreateWirelessDevice refuses. `given` is its input, as boto3 takes it;
        a ``ClientRequestToken`` is for answers that get lost on a wire."""
        await devices.create(self._services, self._call, self._parameters(given))

    async def rehearse(self, given: Mapping[str, Any]) -> None:
        """ApiError for whatever `create` would refuse; nothing is stored."""
        parameters = self._parameters(given)
        device, _ = await devices.prepared(self._services, self._call, parameters)
        checked_tags(parameters.get("Tags", ()))
        store = self._services.store
        with told():
            if await store.device(device.dev_eui) is not None:
                raise Conflict("device", str(device.dev_eui))
            if await store.destination(device.account, device.destination) is None:
                raise NotFound("destination", device.destination)

    def _parameters(self, given: Mapping[str, Any]) -> Parameters:
        operation = self._call.operation
        unknown = sorted(_unknown(operation.input, given, ()))
        if unknown:
            raise invalid(f"CreateWirelessDevice has no {', '.join(unknown)}")
        parameters = parse.named(operation, given)
        validate.check(operation, parameters)
        parameters.pop("ClientRequestToken", None)
        return parameters


def is_registered_already(error: ApiError) -> bool:
    """Whether a device of that DevEUI is why it was refused."""
    is_device = error.members.get("ResourceType") == devices.KIND
    return is_device and error.code == "ConflictException"


def _unknown(shape: Shape, value: object, path: tuple[str, ...]) -> Iterator[str]:
    """Members that the model does not know. A service ignores them; boto3 sends none."""
    if isinstance(value, Mapping) and shape.type_name == "structure":
        for name, item in value.items():
            if name not in shape.members:
                yield ".".join((*path, str(name)))
            else:
                yield from _unknown(shape.members[name], item, (*path, name))
    elif isinstance(value, list) and shape.type_name == "list":
        for item in value:
            yield from _unknown(shape.member, item, path)


def _no_authority() -> NoReturn:
    raise AssertionError("no device has a certificate")
