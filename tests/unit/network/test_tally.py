"""What is counted of uplinks and other events."""

import msgspec
import pytest

from bittern.lorawan.radio import Reception
from bittern.network import tally as tally_module
from bittern.network.events import DownlinkSent, GatewayDisconnected, JoinAnswered, JoinReceived
from bittern.network.tally import Tally
from bittern.store.summaries import Summary
from bittern.testing.examples import DEV_ADDR, NOW, dev_eui, session
from bittern.types import EUI64, GatewayEUI

ONE = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
TWO = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
DEVICE = dev_eui(0)


def heard(by: GatewayEUI = ONE, rssi: int = -80, snr: float = 7.25) -> Reception:
    return Reception(
        gateway_eui=by,
        frequency_hz=868_100_000,
        data_rate=5,
        rssi_dbm=rssi,
        snr_db=snr,
        received_at=NOW,
        xtime=0,
        rctx=0,
    )


def in_session(fcnt_up: int, *, ever_heard: bool = True, number: int = 0):
    return msgspec.structs.replace(
        session(number), fcnt_up=fcnt_up, last_uplink_at=NOW if ever_heard else None
    )


def test_the_device_has_the_best_reception_and_each_gateway_its_own():
    tally = Tally()
    tally.uplink(in_session(4), 5, (heard(ONE, -80, 7.25), heard(TWO, -110, -3)))
    tally.uplink(in_session(5), 6, (heard(TWO, -80, 7.2),))
    taken = tally.take()
    assert taken.devices == {DEVICE: Summary(uplinks=2, rssi_dbm={-80: 2}, snr_quarters={29: 2})}
    assert taken.gateways == {
        ONE: Summary(uplinks=1, rssi_dbm={-80: 1}, snr_quarters={29: 1}),
        TWO: Summary(uplinks=2, rssi_dbm={-110: 1, -80: 1}, snr_quarters={-12: 1, 29: 1}),
    }
    assert tally.take() == ({}, {})


@pytest.mark.parametrize(
    ("before", "fcnt", "ever_heard", "lost"),
    [(4, 5, True, 0), (4, 8, True, 3), (-1, 6, False, 0), (11, 500, False, 0), (9, 0, True, 0)],
)
def test_what_counters_leave_out_is_lost_once_a_device_was_heard(before, fcnt, ever_heard, lost):
    tally = Tally()
    tally.uplink(in_session(before, ever_heard=ever_heard), fcnt, (heard(),))
    assert tally.take().devices[DEVICE].lost == lost


def test_what_is_no_signal_is_not_kept():
    tally = Tally()
    tally.uplink(in_session(0), 1, (heard(rssi=-10_000, snr=9999.0),))
    assert tally.take().devices == {DEVICE: Summary(uplinks=1)}


def test_joins_and_downlinks_are_counted_at_both_ends():
    tally = Tally()
    tally.listen(JoinReceived(at=NOW, dev_eui=DEVICE, gateway_eui=ONE))
    for gateway in (TWO, None):
        tally.listen(
            JoinAnswered(
                at=NOW, dev_eui=DEVICE, dev_addr=DEV_ADDR, dev_nonce=1, gateway_eui=gateway
            )
        )
    tally.listen(
        DownlinkSent(
            at=NOW,
            dev_eui=DEVICE,
            downlink_id=1,
            fcnt_down=0,
            fport=None,
            confirmed=False,
            ack=True,
            gateway_eui=TWO,
        )
    )
    tally.listen(GatewayDisconnected(at=NOW, gateway_eui=ONE, reason="away"))
    taken = tally.take()
    assert taken.devices == {DEVICE: Summary(join_requests=1, join_accepts=2, downlinks=1)}
    assert taken.gateways == {
        ONE: Summary(join_requests=1),
        TWO: Summary(join_accepts=1, downlinks=1),
    }


def test_its_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(tally_module, "MOST_DEVICES", 2)
    hurries = []
    tally = Tally(lambda: hurries.append(1))
    for number in range(6):
        tally.uplink(in_session(0, number=number), 1, (heard(),))
    assert (len(hurries), tally.uncounted) == (1, 2)
    taken = tally.take()
    assert len(taken.devices) == 4
    assert taken.gateways[ONE].uplinks == 6
