from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bittern.api.front import Caller, Front
from bittern.api.policy import policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.api.whereabouts import handlers

sys.path.insert(0, str(Path(__file__).parent))
from oracle import ACCESS_KEY_ID, NOW, SECRET, at, client

ARN = "arn:aws:iam::123456789012:user/me"
ASKING = '{"Statement": {"Effect": "Allow", "Action": "iot:DescribeThing", "Resource": "*"}}'


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """boto3 signs at the time of the tests."""
    with at(NOW):
        yield


@pytest.fixture
def front() -> Front:
    secret = SecretAccessKey(SECRET)
    caller = Caller("123456789012", ACCESS_KEY_ID, ARN, policy(ASKING), secret)

    async def credentials(access_key_id: str) -> Caller | None:
        return caller

    return Front(handlers(), credentials, region="eu-west-1")


def test_a_caller_learns_who_it_is(front: Front) -> None:
    told = client("sts", front).get_caller_identity()
    assert (told["Account"], told["UserId"], told["Arn"]) == ("123456789012", ACCESS_KEY_ID, ARN)
