"""What a client asks before all else: who it is, and where it has to go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bittern.api.front import Call, Handler, Parameters


def handlers(server_name: str) -> Mapping[tuple[str, str], Handler]:
    """By service and operation. `server_name` is that by which clients reach this server."""

    async def describe_endpoint(call: Call, parameters: Parameters) -> Mapping[str, Any]:
        """A bare host, as at AWS, whatever the type: clients add scheme and port themselves."""
        return {"endpointAddress": server_name}

    return {
        ("sts", "GetCallerIdentity"): get_caller_identity,
        ("iot", "DescribeEndpoint"): describe_endpoint,
    }


async def get_caller_identity(call: Call, parameters: Parameters) -> Mapping[str, Any]:
    caller = call.caller
    return {"UserId": caller.access_key_id, "Account": caller.account, "Arn": caller.arn}
