"""`s3`: each message becomes an object, in AWS's store or one that speaks like it.

Objects of one device are put one after the other, so that under one key the last message stays.
The object carries the message's id as metadata. Needs ``s3:PutObject``, and ``s3:PutObjectAcl``
for a canned ACL.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from bittern.config import Aws
from bittern.errors import DeliveryRejected
from bittern.outputs.aws import Connect, connect
from bittern.outputs.aws_output import MESSAGE_ID, AwsOutput
from bittern.outputs.in_order import one_by_one
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message

KEY_BYTES = 1024
"""Amazon S3 User Guide, "Naming Amazon S3 objects"."""


class S3Form(Form, frozen=True, kw_only=True):
    bucket_name: str
    key: str
    canned_acl: (
        Literal[
            "private",
            "public-read",
            "public-read-write",
            "aws-exec-read",
            "authenticated-read",
            "bucket-owner-read",
            "bucket-owner-full-control",
            "log-delivery-write",
        ]
        | None
    ) = None


class S3Output(AwsOutput):
    service = "s3"

    def __init__(self, name: str, form: S3Form, settings: Aws, *, connect: Connect = connect):
        super().__init__(name, settings, connect=connect)
        self._form = form

    async def send(self, messages: Sequence[Message]) -> Failures:
        return await one_by_one(messages, partial(self._put, messages), self.client.at_once)

    async def _put(self, messages: Sequence[Message], place: int) -> None:
        await self.client.call("put_object", **self._request(messages[place]))

    def _request(self, message: Message) -> dict[str, Any]:
        key = filled(message, "key", self._form.key)
        if not 0 < len(key.encode()) <= KEY_BYTES:
            raise DeliveryRejected(f"a key has 1 to {KEY_BYTES} bytes, this one {len(key)}")
        request: dict[str, Any] = {
            "Bucket": filled(message, "bucketName", self._form.bucket_name),
            "Key": key,
            "Body": message.payload,
        }
        if message.message_id:
            request["Metadata"] = {MESSAGE_ID: message.message_id}
        if self._form.canned_acl:
            request["ACL"] = self._form.canned_acl
        return request


def check(parameters: Parameters) -> None:
    form = read(parameters, S3Form)
    if not form.bucket_name or not form.key:
        raise ValueError("bucketName and key: neither is empty")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> S3Output:
    return S3Output(name, read(parameters, S3Form), surroundings.configuration.aws)


KIND = Kind(
    name="s3",
    check=check,
    templates=lambda parameters: templates(parameters, "bucketName", "key"),
    make=make,
)
