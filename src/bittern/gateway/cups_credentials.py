"""Credentials as CUPS hands them out, and the number by which a station names those that it has.

A segment is trust, certificate and key, one behind the other; an absent one is four zero bytes. The
station tells them apart by the DER length of each, and understands two forms of it only: one byte
below 128, and 0x82 with two more. So each place has one DER structure, and none of 128 to 255
bytes: the PKCS#8 form of a P-256 key has 138, its SEC1 form 121. A segment that does not come apart
is refused without a word to the server, hence every check here.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from zlib import crc32

from bittern.gateway.cups import CREDENTIALS_LIMIT

ABSENT: Final = bytes(4)
EMPTY_CRC: Final = 2077607535
"""What a station reports that has no credentials: the CRC-32 of three absent parts."""

_SEQUENCE = 0x30


class Credentials(NamedTuple):
    """The three files of a station, as they are stored; empty: absent. The key does not print."""

    trust: bytes
    certificate: bytes
    key: bytes
    """Without a certificate: the token, HTTP header fields that the station adds to requests."""

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={len(part)} bytes" for name, part in self._asdict().items())
        return f"Credentials({sizes})"


def segment(trust_der: bytes, certificate_der: bytes = b"", key_der: bytes = b"") -> bytes:
    """The credentials as they stand in the answer.

    Server authentication takes ``trust_der`` alone, mutual authentication all three; with a trust
    and no certificate the key is a token in ASCII. Raises ValueError, which never quotes a key, for
    whatever a station would refuse or misunderstand.
    """
    _check_der(trust_der, "trust")
    if certificate_der:
        _check_der(certificate_der, "certificate")
        _check_der(key_der, "key")
    elif key_der:
        _check_token(key_der)
    whole = b"".join(part or ABSENT for part in (trust_der, certificate_der, key_der))
    if len(whole) > CREDENTIALS_LIMIT:
        raise ValueError(f"credentials have at most {CREDENTIALS_LIMIT} bytes, not {len(whole)}")
    return whole


def crc(trust: bytes = b"", certificate: bytes = b"", key: bytes = b"") -> int:
    """How a station that stores these files names them: CRC-32, an absent one as four zero bytes.

    The files count as they are, DER or PEM. After an update over CUPS it is the CRC-32 of the
    segment.
    """
    value = 0
    for part in (trust, certificate, key):
        value = crc32(part or ABSENT, value)
    return value


def split(whole: bytes) -> Credentials:
    """The files that a station makes of a segment. Raises ValueError where it would refuse it.

    It is the station's way: of a structure only the first bytes are looked at, and what is behind
    the key goes unnoticed.
    """
    if whole[:1] != b"\x30":
        raise ValueError("credentials: no DER sequence where the trust should begin")
    certificate_at = _structure_end(whole, 0, "trust")
    if whole[certificate_at : certificate_at + 1] == b"\0":
        certificate, key_at = b"", certificate_at + len(ABSENT)
    elif whole[certificate_at : certificate_at + 1] == b"\x30":
        key_at = _structure_end(whole, certificate_at, "certificate")
        certificate = whole[certificate_at:key_at]
    else:
        raise ValueError("credentials: no DER sequence where the certificate should begin")
    if key_at > len(whole):
        raise ValueError("credentials: end before the key")
    return Credentials(whole[:certificate_at], certificate, _key(whole, key_at))


def _key(whole: bytes, at: int) -> bytes:
    match whole[at : at + 1]:
        case b"\x30":
            return whole[at : _structure_end(whole, at, "key")]
        case b"\0" | b"":
            return b""
        case _:
            return whole[at:]


def _structure_end(whole: bytes, at: int, place: str) -> int:
    """Where the structure at ``at`` ends, as a station reckons: any long form counts as 0x82."""
    header = whole[at : at + 4].ljust(4, b"\0")
    size = int.from_bytes(header[2:4], "big") + 4 if header[1] & 0x80 else header[1] + 2
    if at + size > len(whole):
        raise ValueError(f"credentials: end within the {place}")
    return at + size


def _check_der(part: bytes, place: str) -> None:
    """One DER sequence and nothing else, with a length that a station understands."""
    if not part:
        raise ValueError(f"{place} is missing")
    if part.lstrip().startswith(b"-----"):
        raise ValueError(f"{place} is PEM; a station takes DER from CUPS")
    if part[0] != _SEQUENCE:
        raise ValueError(f"{place} is no DER sequence")
    size = _der_size(part, place)
    if size > len(part):
        raise ValueError(f"{place} is cut short: {len(part)} bytes of {size}")
    if size < len(part):
        raise ValueError(f"{place} has {len(part) - size} bytes too many: there is room for one")


def _der_size(part: bytes, place: str) -> int:
    form = part[1] if len(part) > 1 else 0
    if form < 0x80:
        return form + 2
    if form == 0x81:
        hint = ": use its SEC1 form" if place == "key" else ""
        raise ValueError(f"{place} has 128 to 255 bytes, which a station misreads{hint}")
    if form != 0x82:
        raise ValueError(f"{place} is longer than a station understands")
    return int.from_bytes(part[2:4], "big") + 4


def _check_token(token: bytes) -> None:
    """A token is passed on as it is in every request of the station, so it must be fields only."""
    if token[:1] in (b"\x30", b"\0"):
        raise ValueError("a key needs its certificate, and a token begins with a letter")
    if not all(_is_field(line) for line in token.splitlines()):
        raise ValueError("a token is lines of HTTP header fields such as 'Authorization: ...'")


def _is_field(line: bytes) -> bool:
    name, colon, _ = line.partition(b":")
    return bool(name and colon) and line.isascii() and line.decode("ascii").isprintable()
