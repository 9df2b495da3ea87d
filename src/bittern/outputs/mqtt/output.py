"""An external MQTT broker as an output: every message with quality of service 1.

A message has arrived when the broker has acknowledged it (PUBACK). Many are under way at once, on
one connection, in order; what a lost connection leaves unacknowledged is reported and comes again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from bittern.config.settings import Mqtt
from bittern.errors import ConfigurationError, DeliveryRejected, DeliveryUnavailable
from bittern.outputs.backoff import Chance
from bittern.outputs.mqtt.client import Batch, MqttConnection, MqttSettings
from bittern.outputs.port import NO_FAILURES, Failures, Health, Message

log = logging.getLogger(__name__)


class MqttOutput:
    """An `Output`. An async context manager: inside, it keeps a connection to the broker.

    `renewed` gives the settings for each further connection: a certificate expires, and another
    takes its place. It may raise `DeliveryUnavailable`.
    """

    def __init__(
        self,
        settings: MqttSettings,
        chance: Chance,
        name: str = "mqtt",
        *,
        renewed: Callable[[], MqttSettings] | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._renewed = renewed or (lambda: settings)
        self._chance = chance
        self._connection: MqttConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._reason = "not connected yet"
        self._suspect = ""
        self._suspicions = 0
        self._acknowledged = 0
        self._connected = 0

    async def __aenter__(self) -> Self:
        """Does not wait for the broker: a server starts without it, and owes meanwhile."""
        self._task = asyncio.create_task(self._stay_connected(), name=f"{self.name} connection")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def publish(self, messages: Sequence[Message]) -> Failures:
        connection = self._connection
        if connection is None or connection.lost.done():
            raise DeliveryUnavailable(self._why())
        batch = Batch(messages)
        if self._suspicions < self._settings.blamed:
            connection.publish(batch, range(len(messages)))
        else:
            self._publish_without_suspect(connection, batch)
        try:
            await batch.done
        except asyncio.CancelledError:
            # Given up after a long time: a broker that says nothing is tried afresh.
            connection.abort("the broker did not acknowledge in time")
            raise
        if connection.lost.done() and len(batch.failures) == len(messages):
            raise DeliveryUnavailable(connection.lost.result())
        return batch.failures or NO_FAILURES

    def health(self) -> Health:
        if self._connection is None or self._connection.lost.done():
            return Health(False, self._why())
        return Health(True, f"connected to {self._settings.host}:{self._settings.port}")

    def statistics(self) -> Mapping[str, int]:
        connection = self._connection
        return {
            "connected": int(connection is not None),
            "connections": self._connected,
            "acknowledged": self._acknowledged + (connection.acknowledged if connection else 0),
            "under_way": connection.under_way if connection else 0,
        }

    def _why(self) -> str:
        """There is no connection."""
        connection = self._connection
        # One that is lost is put away by its task, a moment later.
        return self._reason if connection is None else connection.lost.result()

    def _publish_without_suspect(self, connection: MqttConnection, batch: Batch) -> None:
        places: list[int] = []
        for place, message in enumerate(batch.messages):
            if message.message_id == self._suspect:
                rejection = f"the broker closes the connection over it: {self._reason}"
                batch.settle(place, DeliveryRejected(rejection))
                self._suspect, self._suspicions = "", 0
            else:
                places.append(place)
        connection.publish(batch, places)

    async def _stay_connected(self) -> None:
        attempts = 0
        while True:
            connection = MqttConnection(self._settings)
            try:
                await self._connect(connection)
                attempts = 0
                self._reason = await asyncio.shield(connection.lost)
            except asyncio.CancelledError:
                connection.close()
                raise
            finally:
                self._connection = None
            self._blame(connection)
            attempts += 1
            delay = self._settings.backoff.delay_s(attempts, self._chance)
            log.warning(
                "output=%s connection lost reason=%r retry_s=%.1f", self.name, self._reason, delay
            )
            await asyncio.sleep(delay)
            self._renew()

    def _renew(self) -> None:
        try:
            self._settings = self._renewed()
        except DeliveryUnavailable as unavailable:
            # What is known already may still do.
            log.warning("output=%s settings not read reason=%r", self.name, unavailable.reason)

    async def _connect(self, connection: MqttConnection) -> None:
        """Returns when the broker accepted the login, or the connection is lost again."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(settings.connect_s):
                await loop.create_connection(
                    lambda: connection, settings.host, settings.port, ssl=settings.tls
                )
                await connection.decided.wait()
        except TimeoutError:
            connection.abort(f"no login within {settings.connect_s:g} s")
        except OSError as error:
            connection.abort(_told(error))
        if not connection.lost.done():
            self._connection = connection
            self._connected += 1
            log.info("output=%s connected broker=%s:%d", self.name, settings.host, settings.port)

    def _blame(self, connection: MqttConnection) -> None:
        """Which message the broker may have closed the connection over."""
        self._acknowledged += connection.acknowledged
        if connection.oldest is None:
            return
        again = connection.oldest == self._suspect and not connection.acknowledged
        self._suspicions = self._suspicions + 1 if again else 1
        self._suspect = connection.oldest


def mqtt_settings(mqtt: Mqtt) -> MqttSettings:
    """From the configuration, `mqtt.url` being set. Raises `ConfigurationError`."""
    url = urlsplit(mqtt.url or "")
    secure = url.scheme == "mqtts"
    return MqttSettings(
        host=url.hostname or "",
        port=url.port or (8883 if secure else 1883),
        client_id=mqtt.client_id,
        username=mqtt.username,
        password=None if mqtt.password is None else mqtt.password.expose().encode(),
        tls=_tls(mqtt) if secure else None,
    )


def _tls(mqtt: Mqtt) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=mqtt.ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError([f"mqtt.ca: {_told(error)}"]) from error
    if mqtt.certificate is not None and mqtt.key is not None:
        try:
            # A key with a passphrase must not stop the server at a prompt.
            context.load_cert_chain(mqtt.certificate, mqtt.key, password="")
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError([f"mqtt.certificate: {_told(error)}"]) from error
    return context


def _told(error: OSError) -> str:
    """asyncio and uvloop say it each in their own words."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
