import msgspec

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.mac.session import RadioState, Session
from bittern.network.sessions import SessionCache
from bittern.types import EUI64, DevAddr, DevEUI, Instant

ADDRESS = DevAddr.from_hex("01ab23cd")
OTHER_ADDRESS = DevAddr.from_hex("01ab23ce")


def session(dev_eui: int = 1, dev_addr: DevAddr = ADDRESS, **fields: object) -> Session:
    made = Session(
        dev_eui=DevEUI(EUI64.from_int(dev_eui)),
        generation=0,
        dev_addr=dev_addr,
        mac_version=MacVersion.LORAWAN_1_0_3,
        region="EU868",
        keys=SessionKeys.of_1_0(bytes(16), bytes(16)),
        radio=RadioState(
            rx1_delay_s=1, rx1_dr_offset=0, rx2_data_rate=0, rx2_frequency_hz=869_525_000
        ),
        activated_at=Instant(0.0),
    )
    return msgspec.structs.replace(made, **fields)


class CountingStore:
    """Only what the cache asks for."""

    def __init__(self, *sessions: Session) -> None:
        self.sessions = list(sessions)
        self.reads = 0

    async def sessions_at(self, dev_addr: DevAddr) -> list[Session]:
        self.reads += 1
        return [session for session in self.sessions if session.dev_addr == dev_addr]


async def test_a_loaded_session_is_found_without_reading_again():
    store = CountingStore(session())
    cache = SessionCache(store)
    assert cache.at(ADDRESS) == ()
    assert await cache.load(ADDRESS) == (store.sessions[0],)
    assert cache.at(ADDRESS) == (store.sessions[0],)
    assert store.reads == 1


async def test_an_unknown_address_is_not_remembered():
    cache = SessionCache(CountingStore())
    assert await cache.load(ADDRESS) == ()
    assert len(cache) == 0


async def test_the_next_session_takes_the_place_of_the_last_among_its_neighbours():
    first, second = session(1), session(2)
    cache = SessionCache(CountingStore(first, second))
    await cache.load(ADDRESS)
    after = msgspec.structs.replace(first, revision=1, fcnt_up=5)
    cache.replace(first, after)
    assert cache.at(ADDRESS) == (after, second)


async def test_a_pending_session_that_comes_to_life_ends_the_others_in_memory_too():
    old, joined = session(1), session(1, OTHER_ADDRESS, generation=2, pending=True)
    cache = SessionCache(CountingStore(old, joined))
    await cache.load(ADDRESS)
    await cache.load(OTHER_ADDRESS)
    cache.replace(joined, msgspec.structs.replace(joined, pending=False, revision=1))
    assert cache.at(ADDRESS) == ()
    assert cache.at(OTHER_ADDRESS) == ()


async def test_forgetting_a_device_forgets_every_address_it_is_known_under():
    cache = SessionCache(CountingStore(session(1), session(1, OTHER_ADDRESS)))
    await cache.load(ADDRESS)
    await cache.load(OTHER_ADDRESS)
    cache.forget(DevEUI(EUI64.from_int(1)))
    assert len(cache) == 0


async def test_a_full_cache_gives_up_its_oldest_address():
    cache = SessionCache(CountingStore(session(1), session(2, OTHER_ADDRESS)), capacity=1)
    await cache.load(ADDRESS)
    await cache.load(OTHER_ADDRESS)
    assert cache.at(ADDRESS) == ()
    assert cache.at(OTHER_ADDRESS) != ()
