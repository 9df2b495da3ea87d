"""What CUPS gives, held against a station that stores it as a genuine one does."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bittern.config import Certificates
from bittern.gateway.cups import CupsRequest, encode, read_answer
from bittern.gateway.cups_credentials import EMPTY_CRC, Credentials, split
from bittern.pki import rotation
from bittern.pki.fingerprints import certificate_id
from bittern.pki.issuing import issue_gateway_certificate
from bittern.servers.cups import Asker, Image, Reply
from bittern.servers.cups_desk import CupsDesk, FirmwareDesk, Places, Update
from bittern.store.gateway_records import CupsContact, GatewayConnection, Gift
from bittern.store.records import Gateway, GatewayCertificate
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
NOW = Instant(time.time())
DAY = 86_400.0
GATEWAY = Gateway(id="roof", gateway_eui=EUI, created_at=NOW)
CUPS_URI, LNS_URI = "https://station.example:8443", "wss://station.example:8887"


@dataclass
class Station:
    """What a gateway has stored."""

    cups: Credentials
    lns: Credentials | None = None
    cups_uri: str = CUPS_URI
    lns_uri: str = ""
    stubborn: bool = False
    """Refuses every credential."""

    def request(self) -> CupsRequest:
        return CupsRequest(
            gateway_eui=EUI,
            cups_uri=self.cups_uri,
            lns_uri=self.lns_uri,
            cups_crc=self.number(self.cups),
            lns_crc=EMPTY_CRC if self.lns is None else self.number(self.lns),
            station="2.0.6(linux/std)",
            model="linux",
            package="1.0",
        )

    def take(self, reply: Reply) -> None:
        """By way of the bytes of the answer."""
        answer, _ = read_answer(
            encode(reply.answer, bytes(reply.image.length if reply.image else 0))
        )
        self.cups_uri = answer.cups_uri or self.cups_uri
        self.lns_uri = answer.lns_uri or self.lns_uri
        if answer.cups_credentials and not self.stubborn:
            self.cups = split(answer.cups_credentials)
        if answer.lns_credentials and not self.stubborn:
            self.lns = split(answer.lns_credentials)

    @staticmethod
    def number(credentials: Credentials) -> int:
        return zlib.crc32(b"".join(part or bytes(4) for part in credentials))

    @staticmethod
    def fingerprint(credentials: Credentials) -> str:
        pem = credentials.certificate.startswith(b"-----")
        load = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
        return certificate_id(
            load(credentials.certificate).public_bytes(serialization.Encoding.DER)
        )


class Answering:
    """Addresses that answer, but for those in `flaws`."""

    def __init__(self) -> None:
        self.flaws: dict[str, str] = {}

    async def flaw(self, uri: str, trusted_pem: bytes) -> str | None:
        return self.flaws.get(uri)


class Town:
    """A desk, its store, and one gateway with files that a person has put there."""

    def __init__(self, folder: Path, firmware: FirmwareDesk | None, key_type: str) -> None:
        self.folder = folder
        self.time = float(NOW)
        self.store = MemoryStore()
        self.addresses = Answering()
        self.authorities = rotation.open_authorities(folder, NOW)
        authority = self.authorities.current
        self.issued = issue_gateway_certificate(authority, EUI, NOW)
        self.station = Station(
            Credentials(authority.pem, self.issued.certificate_pem, self.issued.private_key_pem())
        )
        self.places = Places(lns_port=8887)
        self.desk = CupsDesk(
            self.store,
            authorities=lambda: self.authorities,
            certificates=Certificates(key_type=key_type),  # type: ignore[arg-type]
            places=self.places,
            addresses=self.addresses,
            firmware=firmware,
            now=lambda: Instant(self.time),
        )

    async def prepare(self) -> None:
        await self.store.add_gateway(GATEWAY)
        await self.store.add_certificate(
            GatewayCertificate(
                fingerprint=self.issued.certificate_id,
                gateway_eui=EUI,
                purpose="cups",
                authority=self.authorities.current.fingerprint,
                credentials_crc=Station.number(self.station.cups),
                not_after=self.issued.not_after,
                created_at=NOW,
            )
        )

    async def ask(self) -> Reply:
        gateway = await self.store.gateway(EUI)
        assert gateway is not None
        shown = Station.fingerprint(self.station.cups)
        reply = await self.desk.reply(
            gateway, self.station.request(), Asker(shown, "192.0.2.7:51234")
        )
        self.station.take(reply)
        if self.station.lns is not None:
            await self.connect_to_lns(Station.fingerprint(self.station.lns))
        self.time += 60
        return reply

    async def connect_to_lns(self, fingerprint: str) -> None:
        connection = GatewayConnection(
            connected=True, changed_at=Instant(self.time), certificate=fingerprint
        )
        await self.store.put_gateway_state(EUI, connection)

    async def contact(self) -> CupsContact:
        contact = (await self.store.gateway_state(EUI)).cups
        assert contact is not None
        return contact

    async def change(self, **fields: object) -> None:
        gateway = await self.store.gateway(EUI)
        assert gateway is not None
        fields["changed_at"] = Instant(self.time)
        await self.store.replace_gateway(msgspec.structs.replace(gateway, **fields))


@pytest.fixture
async def town(tmp_path: Path) -> Town:
    town = Town(tmp_path, None, "ec-p256")
    await town.prepare()
    return town


def is_nothing(reply: Reply) -> bool:
    return encode(reply.answer) == bytes(14)


async def test_a_gateway_with_cups_files_alone_is_given_the_lns(town: Town) -> None:
    """By the name by which it found CUPS; and then nothing more."""
    await town.ask()
    assert town.station.lns is not None
    assert town.station.lns_uri == LNS_URI
    registered = await town.store.certificate(Station.fingerprint(town.station.lns))
    assert registered is not None
    assert (registered.purpose, registered.active) == ("lns", True)
    assert registered.credentials_crc == Station.number(town.station.lns)
    assert registered.not_after == pytest.approx(NOW + 365 * DAY, abs=1)
    assert is_nothing(await town.ask())
    contact = await town.contact()
    assert (contact.gifts, contact.withheld) == ((), ())
    assert contact.certificate == town.issued.certificate_id


@pytest.mark.parametrize(
    ("key_type", "kind"),
    [("ec-p256", ec.EllipticCurvePrivateKey), ("rsa-2048", rsa.RSAPrivateKey)],
)
async def test_what_it_is_given_fits_together(tmp_path: Path, key_type: str, kind: type) -> None:
    town = Town(tmp_path, None, key_type)
    await town.prepare()
    await town.ask()
    lns = town.station.lns
    assert lns is not None
    key = serialization.load_der_private_key(lns.key, None)
    certificate = x509.load_der_x509_certificate(lns.certificate)
    assert isinstance(key, kind)
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(lns.trust))


async def test_no_private_key_is_kept(town: Town) -> None:
    reply = await town.ask()
    lns = town.station.lns
    assert lns is not None
    kept = repr(vars(town.store)).encode() + msgspec.json.encode(await town.contact())
    assert lns.key.hex().encode() not in kept
    assert lns.key not in kept
    assert lns.key.hex() not in repr(reply)


async def test_certificates_are_renewed_well_before_their_end(town: Town) -> None:
    await town.ask()
    first = town.station.lns
    town.time += 270 * DAY
    assert is_nothing(await town.ask())
    town.time += 6 * DAY
    await town.ask()
    assert town.station.lns not in (None, first)
    assert is_nothing(await town.ask())


async def test_what_an_operator_wants_renewed_is_renewed(town: Town) -> None:
    await town.ask()
    before = town.station.lns
    assert before is not None
    fingerprint = Station.fingerprint(before)
    certificate = await town.store.certificate(fingerprint)
    assert certificate is not None
    await town.store.replace_certificate(msgspec.structs.replace(certificate, renew=True))
    await town.ask()
    assert town.station.lns != before
    assert is_nothing(await town.ask())


async def test_a_revoked_certificate_of_the_lns_is_replaced(town: Town) -> None:
    await town.ask()
    before = town.station.lns
    assert before is not None
    await town.store.set_certificate_active(Station.fingerprint(before), False)
    await town.ask()
    assert town.station.lns != before


async def test_credentials_that_are_refused_are_not_sent_for_ever(town: Town) -> None:
    town.station.stubborn = True
    given = [bool((await town.ask()).answer.lns_credentials) for _ in range(10)]
    assert given == [True] * 3 + [False] * 7
    [withheld] = (await town.contact()).withheld
    assert "the station has refused these credentials 3 times" in withheld
    certificates = [
        one for one in await town.store.certificates_of(EUI) if one.purpose == "lns" and one.active
    ]
    assert len(certificates) == 1  # of those given in vain none but the last counts


async def test_a_gateway_is_moved_where_its_record_says(town: Town) -> None:
    await town.ask()
    await town.change(lns_uri="wss://new.example:443", cups_uri="https://new.example:8443")
    await town.ask()
    assert town.station.lns_uri == "wss://new.example:443"
    assert town.station.cups_uri == "https://new.example:8443"
    assert is_nothing(await town.ask())


async def test_nobody_is_sent_where_nobody_answers(town: Town) -> None:
    await town.ask()
    town.addresses.flaws["wss://typo.example:443"] = "wss://typo.example:443 does not answer"
    await town.change(lns_uri="wss://typo.example:443")
    assert is_nothing(await town.ask())
    assert town.station.lns_uri == LNS_URI
    [withheld] = (await town.contact()).withheld
    assert withheld == "URI of the LNS: wss://typo.example:443 does not answer"


async def test_every_gateway_follows_the_next_authority(town: Town) -> None:
    await town.ask()
    town.authorities = rotation.introduce(town.folder, NOW)
    for _ in range(3):
        await town.ask()
    new = town.authorities.issuing.der
    assert town.station.lns is not None
    assert (town.station.lns.trust, town.station.cups.trust) == (new, new)
    assert is_nothing(await town.ask())


async def test_an_update_goes_with_the_answer_and_is_remembered(tmp_path: Path) -> None:
    gift = Gift(kind="update", value="definition", at=NOW)

    async def chunks() -> object:
        yield b"x"

    class Firmware:
        async def update_for(
            self, gateway: Gateway, request: CupsRequest, earlier: Sequence[Gift]
        ) -> Update | str | None:
            return Update(bytes(80), Image(1, chunks()), gift)  # type: ignore[arg-type]

    town = Town(tmp_path, Firmware(), "ec-p256")
    await town.prepare()
    reply = await town.ask()
    assert (reply.answer.signature, reply.image is not None) == (bytes(80), True)
    assert gift in (await town.contact()).gifts


async def test_why_no_update_is_given_is_told(tmp_path: Path) -> None:
    class Firmware:
        async def update_for(
            self, gateway: Gateway, request: CupsRequest, earlier: Sequence[Gift]
        ) -> Update | str | None:
            return "the image is not there"

    town = Town(tmp_path, Firmware(), "ec-p256")
    await town.prepare()
    await town.ask()
    assert (await town.contact()).withheld == ("firmware: the image is not there",)
