from bittern.network.events import FrameRefused
from bittern.testing import examples
from bittern.types import Refusal


async def test_a_removed_device_is_unknown_as_soon_as_the_change_is_followed(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1))
    last = await stage.store.last_change()
    await stage.store.remove_device(stage.dev_eui)
    stage.network.follow(await stage.store.changes(last))
    await stage.hear(device, device.uplink(b"y", fport=1))
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.UNKNOWN_DEV_ADDR]


async def test_nothing_is_remembered_when_changes_were_missed(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1))
    await stage.store.enqueue(examples.downlink(payload=b"missed"))
    await stage.network.start_over()
    await stage.hear(device, device.uplink(b"y", fport=1))
    assert stage.answer(device).payload == b"missed"
    await stage.store.remove_device(stage.dev_eui)
    await stage.network.start_over()
    await stage.hear(device, device.uplink(b"z", fport=1))
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.UNKNOWN_DEV_ADDR]


async def test_a_message_queued_for_an_idle_device_is_noticed(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1))
    await stage.queue(payload=b"late")
    await stage.hear(device, device.uplink(b"y", fport=1))
    assert stage.answer(device).payload == b"late"
