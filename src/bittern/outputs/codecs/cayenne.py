"""CayenneLPP, both ways: channels of typed values, of two bytes and the value each.

Source: myDevices Cayenne documentation, "Cayenne Low Power Payload": the types up to 136. Those
beyond it are numbered alike, an object of the IPSO registry less 3200, and are what libraries for
devices send besides. The names of values are those that The Things Stack gives them:
``temperature_3`` is channel 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from bittern.errors import CodecError

Number = int | float
Value = Number | dict[str, Number]


@dataclass(frozen=True, slots=True)
class Part:
    """A number of `size` bytes, most significant first. What is sent is the value by `unit`."""

    name: str
    size: int
    unit: Decimal
    signed: bool

    def read(self, raw: bytes) -> Number:
        scaled = int.from_bytes(raw, "big", signed=self.signed) * self.unit
        return int(scaled) if self.unit == int(self.unit) else float(scaled)

    def write(self, value: object, what: str) -> bytes:
        if not isinstance(value, int | float) or not abs(value) < 1e12:
            raise _refused(f"{what} is no number that can be sent")
        count = (Decimal(str(+value)) / self.unit).to_integral_value(ROUND_HALF_EVEN)
        try:
            return int(count).to_bytes(self.size, "big", signed=self.signed)
        except OverflowError:
            raise _refused(f"{what}: {value} does not fit") from None


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of value: one part without a name, or several with theirs."""

    number: int
    name: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    def read(self, raw: bytes) -> Value:
        values: dict[str, Number] = {}
        for part in self.parts:
            values[part.name], raw = part.read(raw[: part.size]), raw[part.size :]
        return values if len(values) > 1 else values[""]

    def write(self, value: object, what: str) -> bytes:
        if len(self.parts) == 1:
            return self.parts[0].write(value, what)
        names = [part.name for part in self.parts]
        if not isinstance(value, Mapping) or sorted(value) != sorted(names):
            raise _refused(f"{what} wants {', '.join(names)}")
        return b"".join(part.write(value[part.name], f"{what}.{part.name}") for part in self.parts)


def _kind(number: int, name: str, size: int, unit: str = "1", signed: str = "unsigned") -> Kind:
    return Kind(number, name, (Part("", size, Decimal(unit), signed == "signed"),))


def _triple(number: int, name: str, names: str, size: int, *units: str) -> Kind:
    parts = zip(names.split(), units, strict=True)
    return Kind(number, name, tuple(Part(part, size, Decimal(unit), True) for part, unit in parts))


KINDS = (
    _kind(0, "digital_in", 1),
    _kind(1, "digital_out", 1),
    _kind(2, "analog_in", 2, "0.01", "signed"),
    _kind(3, "analog_out", 2, "0.01", "signed"),
    _kind(101, "luminosity", 2),  # lux
    _kind(102, "presence", 1),
    _kind(103, "temperature", 2, "0.1", "signed"),  # degrees Celsius
    _kind(104, "relative_humidity", 1, "0.5"),  # per cent
    _triple(113, "accelerometer", "x y z", 2, "0.001", "0.001", "0.001"),  # G
    _kind(115, "barometric_pressure", 2, "0.1"),  # hPa
    _triple(134, "gyrometer", "x y z", 2, "0.01", "0.01", "0.01"),  # degrees a second
    # Degrees, degrees, metres.
    _triple(136, "gps", "latitude longitude altitude", 3, "0.0001", "0.0001", "0.01"),
    _kind(100, "generic_sensor", 4),
    _kind(116, "voltage", 2, "0.01"),  # V
    _kind(117, "current", 2, "0.001"),  # A
    _kind(118, "frequency", 4),  # Hz
    _kind(120, "percentage", 1),
    _kind(121, "altitude", 2, "1", "signed"),  # m
    _kind(125, "concentration", 2),  # ppm
    _kind(128, "power", 2),  # W
    _kind(130, "distance", 4, "0.001"),  # m
    _kind(131, "energy", 4, "0.001"),  # kWh
    _kind(132, "direction", 2),  # degrees
    _kind(133, "unix_time", 4),
    _kind(142, "switch", 1),
)
_BY_NUMBER = {kind.number: kind for kind in KINDS}
_BY_NAME = {kind.name: kind for kind in KINDS}
_NAMED = re.compile(r"([a-z_]+)_(\d{1,3})")


def decode(payload: bytes) -> dict[str, Value]:
    """Values by names. Raises `CodecError` for bytes that are no CayenneLPP.

    Where a channel has a type twice, the later value counts.
    """
    return dict(_values(payload))


def _values(payload: bytes) -> Iterator[tuple[str, Value]]:
    at = 0
    while at < len(payload):
        if at + 2 > len(payload):
            raise _refused(f"byte {at}: a channel without a type")
        channel, number = payload[at], payload[at + 1]
        kind = _BY_NUMBER.get(number)
        if kind is None:
            raise _refused(f"byte {at + 1}: there is no type {number}")
        raw = payload[at + 2 : at + 2 + kind.size]
        if len(raw) < kind.size:
            raise _refused(f"byte {at + 2}: {len(raw)} bytes of {kind.name}, which has {kind.size}")
        yield f"{kind.name}_{channel}", kind.read(raw)
        at += 2 + kind.size


def encode(data: object) -> bytes:
    """The bytes of values by names, in their order. Raises `CodecError`."""
    if not isinstance(data, Mapping):
        raise _refused("an object of values by names is wanted, as temperature_3")
    return b"".join(_encoded(name, value) for name, value in data.items())


def _encoded(name: str, value: object) -> bytes:
    found = _NAMED.fullmatch(name)
    kind = _BY_NAME.get(found[1]) if found else None
    if found is None or kind is None or int(found[2]) > 255:
        raise _refused(f"{name} is no type and channel, as temperature_3")
    return bytes([int(found[2]), kind.number]) + kind.write(value, name)


def _refused(reason: str) -> CodecError:
    return CodecError(reason, kind="answer")
