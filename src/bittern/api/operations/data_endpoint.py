"""Where MQTT clients connect to, `DescribeEndpoint`.

At AWS the address is a host, and clients take port 8883 by themselves. So it is here, where the
broker speaks TLS at that port; where it listens at another one, that is told with it.
"""

from __future__ import annotations

from bittern.api.errors import invalid
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer
from bittern.api.operations.services import Services

MQTT = ("iot:Data-ATS", "iot:Data")
"""The second is AWS's address with an older certificate; there is one certificate here."""
ELSEWHERE = {
    "iot:CredentialProvider": "no credentials of AWS are given for certificates",
    "iot:Jobs": "there are no jobs",
}


async def describe(services: Services, call: Call, parameters: Parameters) -> Answer:
    kind = parameters.get("endpointType", MQTT[1])
    if kind in ELSEWHERE:
        raise invalid(f"{kind} is not offered by this server: {ELSEWHERE[kind]}")
    if kind not in MQTT:
        raise invalid(
            f"{kind} is no endpoint; there is {MQTT[0]}, and GetServiceEndpoint of iotwireless"
            " tells those of gateways"
        )
    return {"endpointAddress": services.endpoints.mqtt}
