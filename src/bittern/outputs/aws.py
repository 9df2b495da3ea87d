"""Clients of AWS's services, and of those that speak like them, for the outputs.

botocore blocks, so its calls run in threads: a few for each output, so that a service that is slow
holds up nobody else. Nothing is retried here: deliveries are, with all that they know. Credentials
are found as by every AWS client; they are in no text that is made here.
"""

from __future__ import annotations

import asyncio
import functools
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bittern.config import Aws
from bittern.errors import DeliveryUnavailable
from bittern.outputs.aws_errors import of_exception

OWN_REGION = "us-east-1"
"""Of services at endpoints of one's own: they have no regions, and signing needs one."""

Connect = Callable[[str, Aws, str | None], Any]


class AwsClient:
    """One service, seen by one output. `call` may be called while others are under way."""

    def __init__(
        self, service: str, settings: Aws, *, region: str | None = None, connect: Connect
    ) -> None:
        """`region`: where the receiver's name tells it."""
        self.service = service
        self.at_once = settings.calls
        self._make = functools.partial(connect, service, settings, region)
        self._pool = ThreadPoolExecutor(settings.calls, thread_name_prefix=f"aws {service}")
        self._client: Any = None
        self._making = threading.Lock()
        self._closed = False
        self.calls = 0

    async def call(self, operation: str, /, **request: Any) -> Mapping[str, Any]:
        """The answer to ``put_object`` and the like.

        Raises `AwsRejected`, `Unreachable` where there was no answer, or `DeliveryUnavailable`.
        """
        if self._closed:
            raise DeliveryUnavailable("closed")
        self.calls += 1
        work = functools.partial(self._call, operation, request)
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def close(self) -> None:
        """Calls under way end by their own time limits."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    def _call(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            with self._making:
                if self._client is None:
                    self._client = self._make()
            answer: Mapping[str, Any] = getattr(self._client, operation)(**request)
        except Exception as error:
            raise of_exception(error, operation) from None
        return answer


@functools.cache
def _models() -> Any:
    """botocore's models of services take long to read and do not change."""
    from botocore.loaders import Loader

    return Loader()


def connect(service: str, settings: Aws, region: str | None) -> Any:
    """A client of botocore. Raises what botocore raises, for a profile that is not there."""
    import botocore.session
    from botocore.config import Config

    from bittern.outputs.aws_http import limit_answers

    session = botocore.session.Session(profile=settings.profile)
    session.register_component("data_loader", _models())
    endpoint = endpoint_of(service, settings)
    region = region or settings.region or session.get_config_variable("region")
    client = session.create_client(
        service,
        region_name=region or (OWN_REGION if endpoint else None),
        endpoint_url=endpoint,
        verify=None if settings.ca is None else str(settings.ca),
        config=Config(
            connect_timeout=settings.connect_timeout_s,
            read_timeout=settings.read_timeout_s,
            retries={"total_max_attempts": 1, "mode": "standard"},
            # Other stores do not know AWS's newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"} if endpoint else None,
        ),
    )
    limit_answers(client, settings, session.get_config_variable("ca_bundle"))
    return client


def endpoint_of(service: str, settings: Aws) -> str | None:
    """None: AWS's own, or what AWS's own variables of the environment say."""
    return dict(settings.endpoints).get(service) or settings.endpoint_url  # type: ignore[call-overload]


def region_of(name: str) -> str | None:
    """The region in an ARN or in the URL of a queue. A template tells none."""
    parts = name.split(":")
    if name.startswith("arn:") and len(parts) > 3:
        return parts[3] if re.fullmatch(r"[a-z0-9-]+", parts[3]) else None
    found = re.match(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?/", name)
    return found[1] if found else None
