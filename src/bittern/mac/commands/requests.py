"""Requests under way: sent, and remembered until the device has answered.

The network believes nothing of a device that it has not heard from the device. What was asked for
stays in the session as the bytes that were sent, so that the answer, which names no values, is read
against them.

Some answers move a receive window and are repeated until the device hears a downlink (TS001-1.0.4,
5). Such a request stays, as answered, until an uplink comes without the answer; until then no other
one of its kind is sent, because an old answer could be taken for that of the new request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

import msgspec

from bittern.lorawan.commands import (
    DownlinkCommand,
    UplinkCommand,
    pack_commands,
    parse_downlink_commands,
)
from bittern.lorawan.versions import repeats_receive_answers
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.surroundings import Handled
from bittern.mac.session import RadioState, RefusedRequest, Request, Session

REFUSED_KEPT = 16

Block = tuple[DownlinkCommand, ...]
"""One command, or several that the device takes or refuses as one."""

_R = TypeVar("_R", bound=DownlinkCommand)


def is_under_way(session: Session, kind: type[DownlinkCommand]) -> bool:
    return any(request.commands[0] == kind.CID for request in session.requests)


def open_request(session: Session, kind: type[DownlinkCommand]) -> Request | None:
    """The one that the next answer of its kind belongs to: they come in the order of requests."""
    for request in session.requests:
        if request.commands[0] == kind.CID and not request.answered:
            return request
    return None


def was_refused(session: Session, block: Iterable[DownlinkCommand]) -> bool:
    if not session.refused:
        return False
    commands = pack_commands(block)
    return any(refused.commands == commands for refused in session.refused)


def sent(session: Session, commands: bytes, earlier: Request | None = None) -> Session:
    """The block goes out in answer to the last uplink; once more if `earlier` is there."""
    fcnt = session.fcnt_up
    if earlier is None:
        requests = (*session.requests, Request(commands, fcnt))
    else:
        again = Request(commands, fcnt, earlier.attempts + (earlier.sent_after != fcnt))
        requests = tuple(again if one is earlier else one for one in session.requests)
    return msgspec.structs.replace(session, requests=requests)


def settled(session: Session, request: Request, *, repeats: bool = False) -> Session:
    """The request is answered: gone, or kept for as long as the answer is repeated. Devices that
    answer once where others repeat send the next uplink without it."""
    if repeats:
        answered = msgspec.structs.replace(request, answered=True)
        requests = tuple(answered if one is request else one for one in session.requests)
    else:
        requests = tuple(one for one in session.requests if one is not request)
    return msgspec.structs.replace(session, requests=requests)


def refused(session: Session, request: Request, status: int) -> Session:
    """Remember what the device does not accept."""
    kept = (*session.refused, RefusedRequest(request.commands, status))[-REFUSED_KEPT:]
    return msgspec.structs.replace(session, refused=kept)


def forget_confirmed(session: Session, commands: Iterable[UplinkCommand]) -> Session:
    """After an uplink with these commands: what it does not answer any more was confirmed."""
    if not session.requests:
        return session
    heard = {command.CID for command in commands}
    requests = tuple(
        one for one in session.requests if not one.answered or one.commands[0] in heard
    )
    if len(requests) == len(session.requests):
        return session
    return msgspec.structs.replace(session, requests=requests)


def handle_answer(
    answer: UplinkCommand,
    session: Session,
    kind: type[_R],
    apply: Callable[[RadioState, _R], RadioState],
    *,
    accepted: bool = True,
    repeats: bool = False,
) -> Handled:
    """What every answer to a single request comes to; `apply` makes the belief of the request."""
    request = open_request(session, kind)
    if request is None:
        known = repeats and is_under_way(session, kind)
        return Handled(
            session,
            problem=None if known else CommandProblem.NOT_ASKED,
            must_confirm=known,
        )
    asked = cast(_R, parse_downlink_commands(request.commands)[0])
    session = settled(session, request, repeats=repeats)
    must_confirm = repeats and repeats_receive_answers(session.mac_version)
    if not accepted:
        session = refused(session, request, answer.write()[0])
        return Handled(session, declined=str(asked), must_confirm=must_confirm)
    radio = apply(session.radio, asked)
    return Handled(msgspec.structs.replace(session, radio=radio), must_confirm=must_confirm)
