"""What a client asks before all else: who it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bittern.api.front import Call, Handler, Parameters


def handlers() -> Mapping[tuple[str, str], Handler]:
    """By service and operation."""
    return {("sts", "GetCallerIdentity"): get_caller_identity}


async def get_caller_identity(call: Call, parameters: Parameters) -> Mapping[str, Any]:
    caller = call.caller
    return {"UserId": caller.access_key_id, "Account": caller.account, "Arn": caller.arn}
