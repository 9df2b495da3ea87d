"""Whatever a device says by MAC commands: nothing is raised, only what was asked is believed."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bittern.lorawan import regions
from bittern.lorawan.commands import (
    UPLINK_COMMANDS,
    pack_commands,
    parse_downlink_commands,
    read_uplink_commands,
)
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands.dispatch import ASKED_BY_DEVICE
from bittern.mac.commands.notices import Ignored
from bittern.mac.commands.surroundings import Surroundings
from bittern.mac.exchange import Answered, exchange
from bittern.mac.session import Request, Session
from bittern.mac.uplink import Accepted
from bittern.mac.wanted import Wanted, extra_channels, wanted
from bittern.store.records import DeviceProfile, ServiceProfile
from bittern.types import EUI64, DevAddr, DevEUI, Instant

NOW = Instant(1_700_000_000.0)
KEYS = SessionKeys.of_1_0(bytes(16), bytes(range(16)))
PLANS = ("EU868", "US915", "AS923-1", "CN470")

some_commands = st.lists(
    st.sampled_from(UPLINK_COMMANDS).flatmap(
        lambda kind: st.binary(min_size=kind.SIZE, max_size=kind.SIZE).map(kind.read)
    ),
    max_size=10,
)


@lru_cache
def wish(region: str, version: MacVersion) -> Wanted:
    """Everything otherwise than devices start."""
    profile = DeviceProfile(
        id="sensor",
        region=region,
        mac_version=version,
        supports_class_b=True,
        rx1_delay_s=5,
        rx1_dr_offset=1,
        uplink_dwell_time=False,
        adr_ack_limit_exp=3,
        rejoin_max_count_n=4,
        ping_slot_data_rate=regions.plan(region).rx2_data_rate,
        beacon_frequency_hz=regions.plan(region).rx2_frequency_hz,
        downlink_frequencies_hz=((868_100_000, 865_100_000),),
    )
    policy = ServiceProfile(id="standard", max_duty_cycle=2, dr_min=2)
    return wanted(profile, policy, regions.plan(region))


def a_session(region: str, version: MacVersion, joined: bool) -> Session:
    plan = regions.plan(region)
    radio = wish(region, version).initial_radio
    return Session(
        dev_eui=DevEUI(EUI64(bytes(8))),
        generation=int(joined),
        dev_addr=DevAddr(bytes(4)),
        mac_version=version,
        region=region,
        keys=KEYS,
        fcnt_up=1,
        radio=msgspec.structs.replace(
            radio, rx1_delay_s=1, rx1_dr_offset=0, extra_channels=extra_channels(plan)[:1]
        ),
        activated_at=Instant(0.0),
    )


def after(session: Session, fopts: bytes, *, adr: bool = True) -> Answered:
    """The next uplink of the device carries these commands."""
    plan = regions.plan(session.region)
    channel = plan.uplink_channels()[0]
    commands, problem = read_uplink_commands(fopts)
    before, fcnt = session, session.fcnt_up + 1
    opened = Accepted(
        before=before,
        after=msgspec.structs.replace(session, revision=session.revision + 1, fcnt_up=fcnt),
        fcnt=fcnt,
        fport=None,
        payload=b"",
        commands=tuple(commands),
        command_problem=None if problem is None else str(problem),
        adr=adr,
    )
    surroundings = Surroundings(
        wanted=wish(session.region, session.mac_version),
        received_at=NOW,
        snr_db=9.0,
        data_rate=channel.min_dr,
        frequency_hz=channel.frequency_hz,
        gateway_count=1,
        sub_bands=(1,) if session.region == "US915" else (),
        adr=adr,
    )
    return exchange(opened, surroundings)


kinds = st.tuples(st.sampled_from(PLANS), st.sampled_from(list(MacVersion)), st.booleans())


@given(kind=kinds, uplinks=st.lists(st.binary(max_size=15), min_size=1, max_size=6))
def test_no_bytes_raise_anything(kind: tuple[str, MacVersion, bool], uplinks: list[bytes]) -> None:
    session = a_session(*kind)
    for fopts in uplinks:
        answered = after(session, fopts)
        for request in answered.session.requests:
            assert pack_commands(parse_downlink_commands(request.commands)) == request.commands
        session = answered.session


@given(kind=kinds, uplinks=st.lists(some_commands.map(pack_commands), min_size=1, max_size=8))
def test_no_commands_raise_anything(
    kind: tuple[str, MacVersion, bool], uplinks: list[bytes]
) -> None:
    session = a_session(*kind)
    for fopts in uplinks:
        session = after(session, fopts).session


@given(kind=kinds, commands=some_commands)
def test_what_nobody_asked_for_changes_no_belief_and_is_told(
    kind: tuple[str, MacVersion, bool], commands: list
) -> None:
    session = a_session(*kind)
    quiet = after(session, b"")
    answers = [command for command in commands if type(command) not in ASKED_BY_DEVICE]
    answered = after(session, pack_commands(answers))
    assert answered.session == quiet.session
    ignored = [notice for notice in answered.notices if isinstance(notice, Ignored)]
    assert len(ignored) == len(answers)


@given(kind=kinds, status=st.integers(0, 255))
def test_a_refusal_changes_no_belief(kind: tuple[str, MacVersion, bool], status: int) -> None:
    """Of whatever the network asks first."""
    session = after(a_session(*kind), b"").session
    for request in session.requests:
        one = msgspec.structs.replace(session, requests=(Request(request.commands, 2),))
        answer = {kind.CID: kind for kind in UPLINK_COMMANDS}[request.commands[0]]
        if answer.SIZE != 1 or answer.read(bytes((status,))).write() == answer().write():
            continue
        count = len(parse_downlink_commands(request.commands))
        refusing = answer.read(bytes((status,))).pack() * count
        answered = after(one, refusing)
        before = msgspec.structs.replace(one.radio, rejoin_max_count_n=4)
        now = msgspec.structs.replace(answered.session.radio, rejoin_max_count_n=4)
        assert now == msgspec.structs.replace(before, data_rate=now.data_rate)
        assert [one.commands for one in answered.session.refused] == [request.commands]
        open_requests = [one for one in answered.session.requests if not one.answered]
        assert request.commands not in [one.commands for one in open_requests]
