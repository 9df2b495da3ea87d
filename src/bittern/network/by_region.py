"""In which region a frame was heard: its copies by the region of the gateways that heard them.

A gateway numbers data rates as its own region does, and sends in its own region alone. So copies
are only put together where the plan is the same; and a copy that no device of its gateway's region
sends is none at all. Regions overlap: a frame may make sense in several of them.
"""

from __future__ import annotations

from typing import cast

import msgspec

from bittern.lorawan.radio import Reception
from bittern.lorawan.regions.plan import Plan
from bittern.mac.refused import Refused
from bittern.network.deduplication import Gathered
from bittern.network.directory import Directory
from bittern.types import Refusal


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A frame as gateways of one region have heard it."""

    gathered: Gathered
    plan: Plan


async def by_region(gathered: Gathered, directory: Directory) -> list[Heard] | Refused:
    """The region of the best copy first, at least one; refused for what is wrong with the best
    copy if something is wrong with each."""
    if len(gathered.receptions) > 1:
        return await _kept_apart(gathered, directory)
    copy = gathered.receptions[0]
    plan = await directory.plan_of_gateway(copy.gateway_eui)
    return _problem(copy, plan) or [Heard(gathered, cast(Plan, plan))]


async def _kept_apart(gathered: Gathered, directory: Directory) -> list[Heard] | Refused:
    copies: dict[str, list[Reception]] = {}
    plans: dict[str, Plan] = {}
    problem = None
    for copy in gathered.receptions:
        plan = await directory.plan_of_gateway(copy.gateway_eui)
        wrong = _problem(copy, plan)
        if plan is None or wrong is not None:
            problem = problem or wrong
            continue
        plans[plan.name] = plan
        copies.setdefault(plan.name, []).append(copy)
    if problem is not None and not copies:
        return problem
    if problem is None and len(copies) == 1:
        return [Heard(gathered, plan) for plan in plans.values()]
    return [
        Heard(msgspec.structs.replace(gathered, receptions=tuple(copies[name])), plan)
        for name, plan in plans.items()
    ]


def _problem(copy: Reception, plan: Plan | None) -> Refused | None:
    """What no device of the gateway's region sends: the gateway is configured for another one."""
    if plan is None:
        return Refused(Refusal.UNKNOWN_GATEWAY, "no longer registered")
    row = plan.data_rates.get(copy.data_rate)
    if row is None:
        return Refused(Refusal.WRONG_REGION, f"{plan.name} has no data rate {copy.data_rate}")
    if not row.uplink:
        reason = f"DR{copy.data_rate} of {plan.name} is for downlinks alone"
        return Refused(Refusal.WRONG_REGION, reason)
    if not plan.frequency_allowed(copy.frequency_hz):
        reason = f"{copy.frequency_hz} Hz is outside {plan.name}"
        return Refused(Refusal.WRONG_REGION, reason)
    return None
