"""What rules in SQL cost: ``python -m bench.rules``.

Each statement is compiled once and evaluated on the same uplink, in a loop, in microseconds: the
median of several rounds. A message is parsed once for all its rules and its result is written once
for all its actions, so that both are clocked by themselves.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import msgspec
from rich.console import Console
from rich.table import Table

from bittern.rules import Context, Template, compile
from bittern.rules.document import parse
from bittern.types import Instant

ROUNDS = 9
TIMES = 20_000
COMPILATIONS = 50

UPLINK = {
    "WirelessDeviceId": "5b58245e-146c-4c30-9703-0ab942e3ff35",
    "MessageId": "7c1d4fd4-9a3b-4c3e-8bb5-d2f2b2a1c001",
    "PayloadData": "DsKVQwE=",
    "WirelessMetadata": {
        "LoRaWAN": {
            "ADR": True,
            "Bandwidth": 125,
            "ClassB": False,
            "CodeRate": "4/5",
            "DataRate": "5",
            "DevAddr": "01a2b3c4",
            "DevEui": "ffffff100000163b",
            "FCnt": 4711,
            "FOptLen": 0,
            "FPort": 1,
            "Frequency": "868100000",
            "Gateways": [
                {"GatewayEui": "80029cfffe5cf1cc", "Rssi": -33, "Snr": 9.5},
                {"GatewayEui": "80029cfffe5cf1cd", "Rssi": -101, "Snr": -3.25},
            ],
            "MIC": "7255cb07",
            "MType": "UnconfirmedDataUp",
            "Major": "LoRaWANR1",
            "Modulation": "LORA",
            "PolarizationInversion": False,
            "SpreadingFactor": 7,
            "Timestamp": "2021-05-03T03:24:29Z",
        }
    },
}

STATEMENTS = {
    "the usual rule": (
        "SELECT *, WirelessMetadata.LoRaWAN.DevEui as eui, PayloadData FROM 'x'"
        " WHERE WirelessMetadata.LoRaWAN.FPort = 1"
    ),
    "of another port": "SELECT * FROM 'x' WHERE WirelessMetadata.LoRaWAN.FPort = 2",
    "everything": "SELECT * FROM 'x'",
    "numbers in strings": (
        "SELECT PayloadData FROM 'x' WHERE WirelessMetadata.LoRaWAN.DataRate >= 3"
        " AND WirelessMetadata.LoRaWAN.Frequency < 869000000"
    ),
    "gateways in reach": (
        "SELECT (SELECT GatewayEui, Rssi FROM WirelessMetadata.LoRaWAN.Gateways WHERE Rssi > -50)"
        " AS near FROM 'x'"
    ),
    "variables, a case, an object": (
        "SET @l = WirelessMetadata.LoRaWAN SELECT {'eui': upper(@l.DevEui), 'n': @l.FCnt + 1} AS d,"
        " CASE @l.FPort WHEN 1 THEN 'data' ELSE 'other' END AS kind FROM 'x'"
    ),
    "time and patterns": (
        "SELECT parse_time('yyyy-MM-dd', timestamp()) AS day,"
        " regexp_matches(WirelessMetadata.LoRaWAN.DevEui, '^ffff') AS ours FROM 'x'"
    ),
}
TEMPLATE = "device/${WirelessDeviceId}/${WirelessMetadata.LoRaWAN.FPort}"
CONTEXT = Context(now=Instant(1_700_000_000.0), topic="x")

Figure = tuple[str, float]
"""What, and microseconds."""


def clocked(work: Callable[[], object], times: int, rounds: int = ROUNDS) -> float:
    """Microseconds for one call: the median of the rounds."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(times):
            work()
        took.append(time.perf_counter() - began)
    return 1e6 * statistics.median(took) / times


def measure(times: int = TIMES, compilations: int = COMPILATIONS) -> Iterator[Figure]:
    usual = STATEMENTS["the usual rule"]
    yield "compile: the usual rule", clocked(lambda: compile(usual), compilations)
    content = msgspec.json.encode(UPLINK)
    yield f"parse the message, {len(content)} bytes", clocked(lambda: parse(content), times)
    for what, sql in STATEMENTS.items():
        rule = compile(sql)
        yield what, clocked(lambda rule=rule: rule.evaluate(UPLINK, CONTEXT), times)  # type: ignore[misc]
    selected = compile(usual).evaluate(UPLINK, CONTEXT)
    assert selected is not None
    yield "write the result", clocked(selected.payload, times)
    template = Template(TEMPLATE)
    yield "a template of two", clocked(lambda: template.substitute(UPLINK, CONTEXT), times)


def main() -> None:
    shown = Table("step", title="rules in SQL, on one uplink")
    shown.add_column("µs", justify="right")
    for what, microseconds in measure():
        shown.add_row(what, f"{microseconds:.1f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
