"""Where gateways connect to, and whom they trust."""

from __future__ import annotations

from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer
from bittern.api.operations.services import Services


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    kind = parameters.get("ServiceType", "CUPS")
    endpoints = services.endpoints
    return {
        "ServiceType": kind,
        "ServiceEndpoint": endpoints.lns_uri if kind == "LNS" else endpoints.cups_uri,
        "ServerTrust": services.authority().pem.decode(),
    }
