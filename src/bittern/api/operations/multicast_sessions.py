"""Sessions of multicast groups: when their devices are to listen, and how.

A session is kept, and the group is in it by the clock. This version transmits nothing to groups:
devices are not told of a session, and sending to a group is refused whatever its state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bittern.api.errors import conflict, invalid, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, lorawan, missing, moment, present, settled, wrong
from bittern.api.operations.multicast_groups import KIND, busy, check_radio, group_of, status_of
from bittern.api.operations.services import Services
from bittern.lorawan import regions
from bittern.mac.fuota import ACTIVE, task_status
from bittern.mac.multicast import (
    MulticastSession,
    current,
    period_problem,
    start_problem,
    timeout_problem,
    timeout_told,
)
from bittern.store.group_records import MulticastGroup
from bittern.types import Instant

SESSION = "MulticastGroupSession"


async def start(services: Services, call: Call, parameters: Parameters) -> None:
    """In place of an earlier session. ConflictException while a firmware update has the group."""
    given = lorawan(parameters)

    async def attempt() -> bool | None:
        before = await _free_group(services, call, parameters["Id"])
        session = _session(before, given, call.now)
        return await _replace(services, before, session)

    await settled(attempt, KIND, parameters["Id"])


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    """ResourceNotFoundException where none is scheduled, or the last is over."""
    group = await group_of(services, call, parameters["Id"])
    session = _current(group, call.now)
    details = present(
        DlDr=session.data_rate,
        DlFreq=session.frequency_hz,
        SessionStartTime=moment(session.start_at),
        SessionTimeout=session.timeout_s,
        PingSlotPeriod=session.ping_slot_period,
    )
    return {"LoRaWAN": details}


async def cancel(services: Services, call: Call, parameters: Parameters) -> None:
    async def attempt() -> bool | None:
        before = await _free_group(services, call, parameters["Id"])
        _current(before, call.now)
        return await _replace(services, before, None)

    await settled(attempt, KIND, parameters["Id"])


async def send(services: Services, call: Call, parameters: Parameters) -> Answer:
    """Refused: a message id would promise that something is sent."""
    await group_of(services, call, parameters["Id"])
    raise invalid(
        "this version of the server does not transmit to multicast groups; nothing is sent or kept"
    )


async def _replace(
    services: Services, before: MulticastGroup, session: MulticastSession | None
) -> bool | None:
    after = msgspec.structs.replace(before, session=session, revision=before.revision + 1)
    return await services.store.replace_multicast_group(before, after) or None


async def _free_group(services: Services, call: Call, group_id: str) -> MulticastGroup:
    """One whose sessions are its own affair. ApiError."""
    group = await group_of(services, call, group_id)
    if group.removing:
        raise busy(group, await status_of(services, call, group))
    for task in await services.store.tasks_of_group(group.id):
        if task_status(task.session, call.now, removing=task.removing) in ACTIVE:
            text = f"{KIND} {group.id} takes part in the firmware update {task.id}"
            raise conflict(KIND, group.id, text)
    return group


def _current(group: MulticastGroup, now: Instant) -> MulticastSession:
    session = current(group.session, now)
    if session is None:
        raise not_found(SESSION, group.id)
    return session


def _session(group: MulticastGroup, given: Mapping[str, Any], now: Instant) -> MulticastSession:
    """Without data rate or frequency: those of the group, or of the region's second window, as at
    AWS (DR 0 in EU868, DR 8 in US915). ApiError."""
    for name in ("SessionStartTime", "SessionTimeout"):
        if name not in given:
            raise missing(f"loRaWAN.{name[:1].lower()}{name[1:]}")
    plan = regions.plan(group.region)
    check_radio(plan, "loRaWAN", given)
    start_at = Instant(given["SessionStartTime"].timestamp())
    timeout_s, period = given["SessionTimeout"], given.get("PingSlotPeriod")
    for path, problem in (
        ("sessionStartTime", start_problem(start_at, now)),
        ("sessionTimeout", timeout_problem(timeout_s, group.dl_class)),
        ("pingSlotPeriod", period_problem(period, group.dl_class)),
    ):
        if problem is not None:
            raise wrong(f"loRaWAN.{path}", problem)
    data_rate = given.get("DlDr", group.default_data_rate)
    frequency_hz = given.get("DlFreq", group.default_frequency_hz)
    return MulticastSession(
        data_rate=plan.rx2_data_rate if data_rate is None else data_rate,
        frequency_hz=plan.rx2_frequency_hz if frequency_hz is None else frequency_hz,
        start_at=start_at,
        timeout_s=timeout_told(timeout_s, group.dl_class),
        ping_slot_period=period,
    )
