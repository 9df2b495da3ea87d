"""Profiles as CreateDeviceProfile and CreateServiceProfile make them, without the wire."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from bittern.api import parse, validate
from bittern.api.front import Parameters
from bittern.api.model import service
from bittern.api.operations import device_profiles, service_profiles
from bittern.api.operations.common import new_id
from bittern.store.records import DeviceProfile, ServiceProfile


def device_profile(account: str, name: str, lorawan: Mapping[str, Any]) -> DeviceProfile:
    """A new one, from members of ``LoRaWANDeviceProfile``. ApiError for what the operation
    refuses."""
    parameters = _checked("CreateDeviceProfile", name, lorawan)
    return device_profiles.made(account, new_id(random.SystemRandom()), parameters)


def service_profile(account: str, name: str, lorawan: Mapping[str, Any]) -> ServiceProfile:
    """A new one, from members of ``LoRaWANServiceProfile``. ApiError for what the operation
    refuses."""
    parameters = _checked("CreateServiceProfile", name, lorawan)
    return service_profiles.made(account, new_id(random.SystemRandom()), parameters)


def _checked(operation_name: str, name: str, lorawan: Mapping[str, Any]) -> Parameters:
    operation = service("iotwireless").operation(operation_name)
    parameters = parse.named(operation, {"Name": name, "LoRaWAN": lorawan})
    validate.check(operation, parameters)
    return parameters
