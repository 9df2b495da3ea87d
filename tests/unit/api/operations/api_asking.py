"""Clients whose policy a test writes, of the store that it has."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bittern.api.front import Caller, Front
from bittern.api.model import Operation, service
from bittern.api.operations import handlers, offered
from bittern.api.policy import policy
from bittern.api.sigv4 import SecretAccessKey

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from api_cases import REFUSED_YET
from api_world import ACCOUNT
from oracle import SECRET, client

ALL = sorted(name for name in offered() if name[0] != "cloudcontrol")
"""Cloud Control has no resources of its own: its requests are those of the others."""
SUCCEEDING = [name for name in ALL if name not in REFUSED_YET]
DENIED = {"AccessDeniedException", "ForbiddenException"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

Name = tuple[str, str]


def model(name: Name) -> Operation:
    return service(name[0]).operation(name[1])


def written(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: str, *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resources}


def caller(api: Any, name: Name, *statements: Mapping[str, Any], account: str = ACCOUNT) -> Any:
    """A client of the same store, with a policy of its own."""
    arn = f"arn:aws:iam::{account}:user/any"
    made = Caller(account, "AKID", arn, policy(written(*statements)), SecretAccessKey(SECRET))

    async def credentials(access_key_id: str) -> Caller:
        return made

    front = Front(
        handlers(api.services),
        credentials,
        region="eu-west-1",
        on_fault=lambda operation, request_id, fault: api.faults.append(fault),
    )
    return client(name[0], front, now=lambda: api.now, parameter_validation=False)


def call(of: Any, name: Name, parameters: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = of._make_api_call(name[1], dict(parameters))
    return answer


@dataclass(frozen=True)
class Told:
    """An error, as botocore has read it."""

    code: str
    message: str
    status: int


def refusal(of: Any, name: Name, parameters: Mapping[str, Any]) -> Told:
    with pytest.raises(ClientError) as caught:
        call(of, name, parameters)
    response = caught.value.response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return Told(response["Error"]["Code"], response["Error"]["Message"], status)


def each(names: list[Name]) -> Any:
    return pytest.mark.parametrize("name", names, ids="-".join)
