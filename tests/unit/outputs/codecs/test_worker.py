from __future__ import annotations

import subprocess
import sys

import msgspec

from bittern.outputs.codecs.wire import Frames, Job, Reply, framed
from bittern.outputs.codecs.worker import READY, SCRIPTS, Worker

SOURCE = "function decodeUplink(i) { return i.fPort; }"


def job(script: str = "a", source: str | None = SOURCE, argument: str = '{"fPort":3}') -> Job:
    return Job(script, source, "decodeUplink", argument, 0.05, 1 << 23)


def test_a_script_is_sent_once() -> None:
    worker = Worker()
    assert worker.answer(job()) == Reply(b"3")
    assert worker.answer(job(source=None)) == Reply(b"3")


def test_the_script_that_was_not_used_for_longest_is_asked_for_again() -> None:
    worker = Worker()
    for number in range(SCRIPTS + 1):
        worker.answer(job(str(number)))
        worker.answer(job("0", source=None))
    assert worker.answer(job("1", source=None)).unknown_script
    assert worker.answer(job("0", source=None)) == Reply(b"3")


def test_a_refusal_is_a_reply() -> None:
    reply = Worker().answer(job(source="\n  throw 1"))
    assert (reply.answer, reply.reason, reply.kind) == (None, "1", "script")


def test_the_process_answers_in_order_opens_nothing_and_ends_with_its_input() -> None:
    jobs = [job(argument=f'{{"fPort":{number}}}') for number in range(5)]
    ended = subprocess.run(
        [sys.executable, "-I", "-m", "bittern.outputs.codecs.worker"],
        input=b"".join(map(framed, jobs)),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout.startswith(READY)
    ready, *replies = Frames().feed(ended.stdout)
    assert ready == b""
    decoded = [msgspec.msgpack.decode(reply, type=Reply).answer for reply in replies]
    assert decoded == [b"0", b"1", b"2", b"3", b"4"]
    assert ended.stderr == b""


def test_a_confined_process_can_open_no_file() -> None:
    program = (
        "from bittern.outputs.codecs.worker import confine; confine()\n"
        "try: open('/etc/hostname')\nexcept OSError as error: print(error.errno)"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, check=True, timeout=60
    )
    assert ended.stdout.strip() == b"24"  # EMFILE
