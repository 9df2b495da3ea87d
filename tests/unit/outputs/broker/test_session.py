from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bittern.outputs.broker.session import (
    CleanSession,
    DurableSession,
    Entry,
    Receipt,
    Session,
    SessionLimits,
)
from bittern.outputs.mqtt.packets import PacketStream, Publish, decode


class FakeLink:
    def __init__(self) -> None:
        self.sent: list[Publish] = []
        self.unsent_bytes = 0
        self.closed: str | None = None

    def send(self, data: bytes) -> None:
        for first, body in PacketStream(1 << 28).feed(data):
            packet = decode(first, body)
            assert isinstance(packet, Publish)
            self.sent.append(packet)

    def close(self, reason: str) -> None:
        self.closed = reason

    @property
    def payloads(self) -> list[int]:
        return [int(publish.payload) for publish in self.sent]


class Answer:
    """What became of a receipt."""

    def __init__(self) -> None:
        self.given: list[str | None] = []
        self.receipt = Receipt(self.given.append)


def enqueue(session: Session, *numbers: int) -> Answer:
    answer = Answer()
    for number in numbers:
        session.enqueue(b"t", b"%d" % number, answer.receipt, retain=False)
    answer.receipt.discharge()
    return answer


LIMITS = SessionLimits(window=4, memory_messages=3, memory_bytes=100, unsent_bytes=50)


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def clean(link: FakeLink) -> CleanSession:
    session = CleanSession("c", "bittern", LIMITS)
    session.attach(link)
    return session


@pytest.fixture
def durable() -> DurableSession:
    return DurableSession("d", "bittern", LIMITS)


def test_receipt_answers_once_when_everybody_has_taken_it() -> None:
    answer = Answer()
    answer.receipt.owe()
    answer.receipt.discharge()
    assert answer.given == []
    answer.receipt.discharge("disk full")
    assert answer.given == ["disk full"]


def test_first_failure_of_a_receipt_stays() -> None:
    answer = Answer()
    answer.receipt.owe()
    answer.receipt.discharge("disk full")
    answer.receipt.discharge()
    assert answer.given == ["disk full"]


def test_clean_session_sends_up_to_its_window_and_goes_on_with_acknowledgements(
    clean: CleanSession, link: FakeLink
) -> None:
    assert enqueue(clean, *range(7)).given == [None]
    assert link.payloads == [0, 1, 2, 3]
    clean.acknowledge(link.sent[0].packet_id)
    clean.acknowledge(link.sent[1].packet_id)
    assert link.payloads == [0, 1, 2, 3, 4, 5]
    assert len({publish.packet_id for publish in link.sent}) == 6


def test_acknowledgement_that_nobody_asked_for_is_ignored(
    clean: CleanSession, durable: DurableSession
) -> None:
    clean.acknowledge(77)
    durable.acknowledge(77)
    assert not durable.has_changes


@pytest.mark.parametrize("numbers", [range(8), [10**60, 10**60, 1, 1, 10**60, 10**60]])
def test_clean_session_too_far_behind_loses_its_connection(
    clean: CleanSession, link: FakeLink, numbers: Sequence[int]
) -> None:
    enqueue(clean, *numbers)
    assert link.closed == "too far behind"


def test_clean_session_without_connection_keeps_nothing(
    clean: CleanSession, link: FakeLink
) -> None:
    enqueue(clean, *range(6))
    clean.detach()
    assert enqueue(clean, 7).given == [None]
    clean.attach(link)
    assert link.payloads == [0, 1, 2, 3]


def test_message_at_most_once_is_dropped_for_a_client_that_takes_nothing(
    clean: CleanSession, link: FakeLink
) -> None:
    link.unsent_bytes = 51
    clean.send_once(b"\x30\x03\x00\x01t")
    assert (link.sent, clean.dropped) == ([], 1)
    clean.detach()
    clean.send_once(b"\x30\x03\x00\x01t")
    assert clean.dropped == 1


def catch_up(session: DurableSession, logged: Sequence[Entry] = ()) -> None:
    """The shell's part, with what the log has."""
    while session.wants_page:
        after, limit = asked = session.begin_page()
        rows = [entry for entry in logged if entry.number > after][:limit]
        session.page(rows, asked, session.link)


def test_prompt_acknowledgement_spares_the_disk(durable: DurableSession, link: FakeLink) -> None:
    durable.attach(link)
    catch_up(durable)
    answer = enqueue(durable, 1, 2)
    assert (link.payloads, answer.given) == ([1, 2], [])
    for publish in link.sent:
        durable.acknowledge(publish.packet_id)
    assert answer.given == [None]
    assert not durable.has_changes
    assert durable.begin_write() == ([], [])


def test_message_not_acknowledged_within_an_interval_is_logged(
    durable: DurableSession, link: FakeLink
) -> None:
    durable.attach(link)
    catch_up(durable)
    answer = enqueue(durable, 1)
    assert durable.begin_write() == ([], [])
    entries, _ = durable.begin_write()
    assert [entry.payload for entry in entries] == [b"1"]
    assert answer.given == []
    durable.written()
    assert answer.given == [None]
    durable.acknowledge(link.sent[0].packet_id)
    assert durable.begin_write() == ([], [entries[0].number])


def test_message_acknowledged_while_it_is_written_is_struck_off_after(
    durable: DurableSession, link: FakeLink
) -> None:
    durable.attach(link)
    catch_up(durable)
    answer = enqueue(durable, 1)
    durable.begin_write()
    durable.begin_write()
    durable.acknowledge(link.sent[0].packet_id)
    assert answer.given == [None]
    durable.written()
    assert durable.begin_write() == ([], [0])


def test_message_for_a_client_that_is_away_is_logged_at_once_and_sent_when_it_returns(
    durable: DurableSession, link: FakeLink
) -> None:
    answer = enqueue(durable, 1, 2)
    entries, _ = durable.begin_write()
    durable.written()
    assert answer.given == [None]
    durable.attach(link)
    catch_up(durable, entries)
    assert link.payloads == [1, 2]
    assert not durable.behind
    assert not link.sent[0].dup


def test_message_comes_again_with_its_identifier_and_the_duplicate_flag(
    durable: DurableSession, link: FakeLink
) -> None:
    """MQTT 3.1.1, 4.4."""
    durable.attach(link)
    catch_up(durable)
    enqueue(durable, 1)
    durable.detach()
    entries, _ = durable.begin_write()
    durable.written()
    again = FakeLink()
    durable.attach(again)
    catch_up(durable, entries)
    (publish,) = again.sent
    assert publish.dup
    assert publish.packet_id == link.sent[0].packet_id


def test_page_that_was_read_for_an_earlier_connection_is_not_used(
    durable: DurableSession, link: FakeLink
) -> None:
    enqueue(durable, 1)
    entries, _ = durable.begin_write()
    durable.written()
    durable.attach(link)
    asked = durable.begin_page()
    durable.detach()
    again = FakeLink()
    durable.attach(again)
    durable.page(entries, asked, link)
    assert again.sent == []
    assert durable.wants_page
    catch_up(durable, entries)
    assert again.payloads == [1]


def test_message_acknowledged_just_before_a_reconnection_does_not_come_again(
    durable: DurableSession, link: FakeLink
) -> None:
    enqueue(durable, 1, 2)
    entries, _ = durable.begin_write()
    durable.written()
    durable.attach(link)
    catch_up(durable, entries)
    durable.acknowledge(link.sent[0].packet_id)
    durable.detach()
    again = FakeLink()
    durable.attach(again)
    catch_up(durable, entries)
    assert again.payloads == [2]


def test_full_disk_refuses_what_was_not_sent_and_keeps_what_was(
    durable: DurableSession, link: FakeLink
) -> None:
    durable.attach(link)
    catch_up(durable)
    sent = enqueue(durable, 0, 1, 2, 3)
    waiting = enqueue(durable, 4, 5)
    durable.acknowledge(link.sent[0].packet_id)
    _, acked = durable.begin_write()
    durable.not_written(acked, "disk full")
    assert waiting.given == ["disk full"]
    assert sent.given == ["disk full"]
    entries, _ = durable.begin_write()
    assert [entry.payload for entry in entries] == [b"1", b"2", b"3"]


def test_session_that_is_given_up_owes_nothing(durable: DurableSession) -> None:
    answer = enqueue(durable, 1)
    durable.begin_write()
    late = enqueue(durable, 2)
    durable.end()
    durable.written()
    assert answer.given == late.given == [None]
    assert not durable.has_changes


def test_numbers_go_on_after_a_restart(link: FakeLink) -> None:
    session = DurableSession("d", "bittern", LIMITS)
    session.restore(70_000, seen_at=session.seen_at)
    session.attach(link)
    catch_up(session, [Entry(69_999, b"t", b"1")])
    enqueue(session, 2)
    assert link.payloads == [1, 2]
    assert [p.packet_id for p in link.sent] == [69_999 % 65_535 + 1, 70_000 % 65_535 + 1]


class DurableSubscriber(RuleBasedStateMachine):
    """Whatever happens in whatever order: a durable subscriber gets every accepted message, the
    first copies in order."""

    def __init__(self) -> None:
        super().__init__()
        self.session = DurableSession("d", "bittern", SessionLimits(window=3))
        self.log: dict[int, Entry] = {}
        self.link: FakeLink | None = None
        self.unacked: list[int] = []
        self.seen: list[int] = []
        self.published = 0
        self.refused: set[int] = set()
        self.write: tuple[Sequence[Entry], Sequence[int]] | None = None
        self.asked: tuple[tuple[int, int], list[Entry], FakeLink] | None = None

    @rule(count=st.integers(1, 4))
    def publish(self, count: int) -> None:
        for _ in range(count):
            self.published += 1
            number = self.published
            receipt = Receipt(self._refusal(number))
            self.session.enqueue(b"t", b"%d" % number, receipt, retain=False)
            receipt.discharge()

    def _refusal(self, number: int) -> Callable[[str | None], None]:
        return lambda failure: None if failure is None else self.refused.add(number)

    @precondition(lambda self: self.link is None)
    @rule()
    def connect(self) -> None:
        self.link = FakeLink()
        self.session.attach(self.link)

    @precondition(lambda self: self.link is not None)
    @rule()
    def disconnect(self) -> None:
        self._receive()
        self.session.detach()
        self.link = None
        self.unacked.clear()

    @precondition(lambda self: self.link is not None)
    @rule()
    def acknowledge(self) -> None:
        self._receive()
        if self.unacked:
            self.session.acknowledge(self.unacked.pop(0))

    @precondition(lambda self: self.write is None)
    @rule()
    def begin_write(self) -> None:
        self.write = self.session.begin_write()

    @precondition(lambda self: self.write is not None)
    @rule(full=st.booleans())
    def end_write(self, full: bool) -> None:
        assert self.write is not None
        entries, acked = self.write
        self.write = None
        if full:
            self.session.not_written(acked, "disk full")
            return
        for number in acked:
            self.log.pop(number, None)
        self.log |= {entry.number: entry for entry in entries}
        self.session.written()

    @precondition(lambda self: self.asked is None and self.session.wants_page)
    @rule()
    def ask(self) -> None:
        # The disk does one thing after the other: a write that was begun is over.
        if self.write is not None:
            self.end_write(full=False)
        assert self.link is not None
        after, limit = asked = self.session.begin_page()
        rows = [self.log[n] for n in sorted(self.log) if n > after][:limit]
        self.asked = (asked, rows, self.link)

    @precondition(lambda self: self.asked is not None)
    @rule()
    def answer(self) -> None:
        assert self.asked is not None
        asked, rows, link = self.asked
        self.asked = None
        self.session.page([Entry(e.number, e.topic, e.payload) for e in rows], asked, link)

    def _receive(self) -> None:
        assert self.link is not None
        for publish in self.link.sent:
            self.unacked.append(publish.packet_id)
            number = int(publish.payload)
            if number not in self.seen:
                self.seen.append(number)
        self.link.sent.clear()

    @invariant()
    def first_copies_come_in_order(self) -> None:
        if self.link is not None:
            self._receive()
        assert self.seen == sorted(self.seen)

    def teardown(self) -> None:
        if self.link is None:
            self.connect()
        for _ in range(3 * self.published + 5):
            for step in (self.begin_write, lambda: self.end_write(full=False)):
                if (self.write is None) == (step == self.begin_write):
                    step()
            if self.asked is None and self.session.wants_page:
                self.ask()
            if self.asked is not None:
                self.answer()
            self.acknowledge()
        missing = set(range(1, self.published + 1)) - set(self.seen) - self.refused
        assert not missing


TestDurableSubscriber = DurableSubscriber.TestCase
TestDurableSubscriber.settings = hypothesis_settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
