"""What KMS says, and what becomes of it; integration/test_key_providers.py asks a server."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from bittern.config import Keys
from bittern.errors import KeyProviderRefused, KeyProviderUnavailable
from bittern.keys.aws_kms import AwsKmsProvider, connect, region_of

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234"


class Kms:
    """Reverses what it is given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[dict[str, Any]] = []

    def encrypt(self, **request: Any) -> dict[str, bytes]:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return {"CiphertextBlob": request["Plaintext"][::-1]}

    def decrypt(self, **request: Any) -> dict[str, bytes]:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return {"Plaintext": request["CiphertextBlob"][::-1]}

    def close(self) -> None: ...


def asking(kms: Kms, **settings: Any) -> AwsKmsProvider:
    provider = AwsKmsProvider(Keys(provider="aws-kms", kms_key=KEY, **settings))
    provider._client = kms
    return provider


async def test_the_context_is_an_encryption_context_and_the_key_is_named() -> None:
    kms = Kms()
    provider = asking(kms)
    wrapped = await provider.wrap(b"abc", "bittern data key 3")
    assert (wrapped, await provider.unwrap(wrapped, "bittern data key 3")) == (b"cba", b"abc")
    for request in kms.asked:
        assert request["KeyId"] == KEY
        assert request["EncryptionContext"] == {"purpose": "bittern data key 3"}
    await provider.close()


def test_it_says_where_the_key_is() -> None:
    assert (asking(Kms()).name, asking(Kms()).describe()) == ("aws-kms", KEY)
    elsewhere = asking(Kms(), kms_endpoint="https://kms.example")
    assert elsewhere.describe() == f"{KEY} at https://kms.example"


def answer(code: str, status: int = 400) -> ClientError:
    about = {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {}}
    about["ResponseMetadata"] = {"HTTPStatusCode": status}
    return ClientError(about, "Decrypt")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("AccessDeniedException", "kms:Decrypt"),
        ("DisabledException", "enable the key"),
        ("IncorrectKeyException", "the key that wrapped it"),
        ("InvalidCiphertextException", "the key that wrapped it"),
        ("KMSInvalidStateException", "cancel its deletion"),
        ("NotFoundException", "its region"),
        ("SomethingElse", ""),
    ],
)
async def test_what_a_person_must_mend_is_refused(code: str, cure: str) -> None:
    with pytest.raises(KeyProviderRefused, match=f"{code}: why.*{cure}"):
        await asking(Kms(answer(code))).unwrap(b"w", "c")


@pytest.mark.parametrize(
    "error",
    [
        answer("ThrottlingException"),
        answer("KMSInternalException", 500),
        answer("KeyUnavailableException", 500),
        answer("", 503),
        answer("ExpiredTokenException"),
        EndpointConnectionError(endpoint_url="https://kms"),
        NoCredentialsError(),
    ],
)
async def test_what_may_pass_is_unavailable(error: Exception) -> None:
    with pytest.raises(KeyProviderUnavailable):
        await asking(Kms(error)).wrap(b"key", "c")


def test_the_region_is_that_of_the_arn() -> None:
    assert region_of(KEY) == "eu-west-1"
    assert region_of("arn:aws-us-gov:kms:us-gov-west-1:1:alias/a") == "us-gov-west-1"
    assert region_of("alias/bittern") is None


def test_a_client_has_time_limits_and_seldom_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    client = connect(Keys(kms_key=KEY, timeout_s=3))
    assert client.meta.region_name == "eu-west-1"
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (3, 3)
    assert client.meta.config.retries["total_max_attempts"] == 2
    client.close()
    client = connect(Keys(kms_key="alias/a", kms_endpoint="http://127.0.0.1:1"))
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    client.close()
