"""Adaptive data rate: what the network makes of how it has heard a device.

An `Algorithm` sees the last uplinks and the bounds, and says which data rate, power and number of
transmissions the device should use. To add one, write a class with `decide` and name it in
`ALGORITHMS`; whatever it decides is kept within the bounds and within what the device has not
refused, and told to the device by `commands/link_adr.py`.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from bittern.lorawan.commands import LinkADRReq
from bittern.lorawan.regions.plan import Modulation, Plan
from bittern.mac.link_budget import required_snr_db
from bittern.mac.session import RadioState, Session

HISTORY_SIZE = 20
"""Uplinks, as many as the reference algorithm wants to have heard."""


class Setting(NamedTuple):
    """What a LinkADRReq says of the link."""

    data_rate: int
    tx_power: int
    """An index of the region's table; 0 is the most."""
    nb_trans: int


class Bounds(msgspec.Struct, frozen=True):
    """What the service profile and the region allow; every bound included."""

    min_data_rate: int
    max_data_rate: int
    min_tx_power: int
    max_tx_power: int
    min_nb_trans: int
    max_nb_trans: int

    def clamp(self, setting: Setting) -> Setting:
        return Setting(
            min(max(setting.data_rate, self.min_data_rate), self.max_data_rate),
            min(max(setting.tx_power, self.min_tx_power), self.max_tx_power),
            min(max(setting.nb_trans, self.min_nb_trans), self.max_nb_trans),
        )


# What was heard

_RECORD = 2
_SNR_OFFSET_DB, _SNR_STEPS = 64, 2


class History:
    """The last uplinks under the present setting, in two bytes each: how many were lost before it,
    and its SNR in steps of 0.5 dB at the gateway that heard it best."""

    __slots__ = ("_records",)

    def __init__(self, records: bytes) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records) // _RECORD

    @property
    def is_full(self) -> bool:
        return len(self._records) == _RECORD * HISTORY_SIZE

    @property
    def best_snr_db(self) -> float:
        """Raises ``ValueError`` if there is none, as ``worst_snr_db``."""
        return max(self._records[1::_RECORD]) / _SNR_STEPS - _SNR_OFFSET_DB

    @property
    def worst_snr_db(self) -> float:
        return min(self._records[1::_RECORD]) / _SNR_STEPS - _SNR_OFFSET_DB

    @property
    def loss(self) -> float:
        """The part of the uplinks between the first one here and the last that was not heard."""
        lost = sum(self._records[_RECORD::_RECORD])
        return lost / (lost + len(self) - 1) if lost else 0.0


def record(history: bytes, *, lost: int, snr_db: float) -> bytes:
    """With one uplink more, and without the oldest if there are too many."""
    snr = min(max(round((snr_db + _SNR_OFFSET_DB) * _SNR_STEPS), 0), 255)
    return history[-_RECORD * (HISTORY_SIZE - 1) :] + bytes((min(lost, 255), snr))


class Heard(NamedTuple):
    """What an uplink tells of the link."""

    data_rate: int
    snr_db: float
    lost: int
    """Uplinks between the last one heard and this one."""
    adr: bool
    adr_ack_req: bool


def observe(session: Session, heard: Heard, plan: Plan) -> Session:
    """After a new uplink: what it tells of the device's setting, and its place in the history.

    A device that hears nothing for long asks by ADRACKReq. Then it goes to full power, steps down
    by a data rate at a time, and at last sends once and on all channels (TS001-1.0.4, 4.3.1.1): so
    who asks may be anywhere on that way, and who comes slower than told is at full power.
    """
    radio, history = session.radio, session.uplink_history
    data_rate, adr = heard.data_rate, heard.adr
    if heard.adr_ack_req and not radio.link_uncertain and _is_adapted(radio):
        radio = msgspec.structs.replace(radio, link_uncertain=True)
    if data_rate != radio.data_rate:
        slower = radio.data_rate is not None and data_rate < radio.data_rate
        fell_back = adr and slower and not _was_asked_for(session, data_rate)
        radio = msgspec.structs.replace(
            radio,
            data_rate=data_rate,
            tx_power=0 if fell_back else radio.tx_power,
            link_uncertain=radio.link_uncertain or fell_back,
        )
        history = b""
    if adr and plan.data_rates[data_rate].modulation is Modulation.LORA:
        history = record(history, lost=heard.lost, snr_db=heard.snr_db)
    elif history:
        history = b""
    if radio is session.radio and history == session.uplink_history:
        return session
    return msgspec.structs.replace(session, radio=radio, uplink_history=history)


def _is_adapted(radio: RadioState) -> bool:
    """There is something that a device without downlinks falls back from unseen."""
    return radio.tx_power > 0 or radio.nb_trans > 1 or bool(radio.enabled_channels)


def _was_asked_for(session: Session, data_rate: int) -> bool:
    """The device may have obeyed a LinkADRReq whose answer got lost."""
    return any(
        request.commands[0] == LinkADRReq.CID and request.commands[1] >> 4 == data_rate
        for request in session.requests
    )


# What to make of it


class Situation(msgspec.Struct, frozen=True):
    """All that an algorithm may look at."""

    plan: Plan
    current: Setting
    history: History
    """Not empty: the uplink that is being answered is in it."""
    bounds: Bounds


class Algorithm(Protocol):
    """Stateless: the history is in the session."""

    def decide(self, situation: Situation) -> Setting:
        """The setting to be used from now on; `situation.current` to leave it."""
        ...


_NB_TRANS = (
    (0.05, (1, 1, 2)),
    (0.10, (1, 2, 3)),
    (0.30, (2, 3, 3)),
    (1.01, (3, 3, 3)),
)
"""By loss below, then by the present NbTrans of 1, 2, 3."""


def nb_trans_by_loss(loss: float, nb_trans: int) -> int:
    """Semtech, "LoRaWAN: simple rate adaptation recommended algorithm", 2016, NbTrans."""
    for limit, by_present in _NB_TRANS:
        if loss < limit:
            return by_present[min(max(nb_trans, 1), 3) - 1]
    raise AssertionError("a loss is never above 1")


class Reference:
    """For devices that stay where they are (Semtech, "LoRaWAN: simple rate adaptation recommended
    algorithm", 2016).

    What the best of the last 20 uplinks had beyond the demodulation floor and a margin is spent, in
    steps of 3 dB, on a higher data rate first and then on less power. Where it falls short, power
    comes back; the data rate never: a device that is not heard lowers it by itself.

    The best of twenty is far above the mean, so the margin has to cover both the fading and what
    was luck. The paper's 10 dB lose 3 % of the uplinks where fading deviates by 2.5 dB, 15 dB half
    a percent (``python -m bench.adr``).
    """

    def __init__(self, margin_db: float = 15.0, step_db: float = 3.0) -> None:
        self._margin_db = margin_db
        self._step_db = step_db

    def decide(self, situation: Situation) -> Setting:
        if not situation.history.is_full:
            return situation.current
        data_rate, tx_power, nb_trans = situation.current
        row = situation.plan.data_rates[data_rate]
        spare_db = situation.history.best_snr_db - required_snr_db(row) - self._margin_db
        steps = int(spare_db / self._step_db)
        faster = min(max(steps, 0), max(situation.bounds.max_data_rate - data_rate, 0))
        change_db = (steps - faster) * self._step_db
        return Setting(
            data_rate + faster,
            tx_power_by_change(situation.plan, tx_power, change_db),
            nb_trans_by_loss(situation.history.loss, nb_trans),
        )


class Mobile:
    """For devices that move: the worst of the last uplinks counts, power stays full, and a data
    rate that has become too fast is lowered before the device has to notice."""

    ENOUGH = 5
    """Uplinks, to become faster; to become slower one is enough."""

    def __init__(self, margin_db: float = 5.0) -> None:
        self._margin_db = margin_db

    def decide(self, situation: Situation) -> Setting:
        history, bounds = situation.history, situation.bounds
        present = situation.current.data_rate
        bearable = [
            data_rate
            for data_rate in range(bounds.min_data_rate, bounds.max_data_rate + 1)
            if self._bears(situation, data_rate)
        ]
        data_rate = max(bearable, default=bounds.min_data_rate)
        if data_rate > present and len(history) < self.ENOUGH:
            data_rate = present
        nb_trans = situation.current.nb_trans
        if history.is_full:
            nb_trans = nb_trans_by_loss(history.loss, nb_trans)
        return Setting(data_rate, 0, nb_trans)

    def _bears(self, situation: Situation, data_rate: int) -> bool:
        row = situation.plan.data_rates.get(data_rate)
        if row is None or not row.uplink:
            return False
        return situation.history.worst_snr_db >= required_snr_db(row) + self._margin_db


def tx_power_by_change(plan: Plan, tx_power: int, change_db: float) -> int:
    """The index with as much less power as `change_db` gives away, or as much more as it lacks."""
    offsets = plan.tx_power_offsets_db
    present = offsets[min(tx_power, len(offsets) - 1)]
    enough = [index for index, offset in enumerate(offsets) if present - offset <= change_db]
    return max(enough, default=0)


ALGORITHMS: dict[str, Algorithm] = {"reference": Reference(), "mobile": Mobile()}
"""By the name that a service profile gives."""
