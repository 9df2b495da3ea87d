from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.errors import CodecError
from bittern.outputs.codecs.wire import Frames, Job, Reply, framed

JOB = Job("name", "source", "decodeUplink", "{}", 0.05, 1024)


@given(st.lists(st.integers(1, 90), max_size=12))
def test_messages_come_whole_however_they_are_cut(cuts: list[int]) -> None:
    stream = framed(JOB) + b"\0\0\0\0" + framed(Reply(b"1"))
    frames, found = Frames(), []
    for cut in [*cuts, len(stream)]:
        found += frames.feed(stream[:cut])
        stream = stream[cut:]
    assert msgspec.msgpack.decode(found[0], type=Job) == JOB
    assert found[1] == b""
    assert msgspec.msgpack.decode(found[2], type=Reply) == Reply(b"1")


def test_a_reply_is_an_answer_or_raises_what_was_wrong() -> None:
    assert Reply(b"{}").result() == b"{}"
    with pytest.raises(CodecError) as caught:
        Reply(None, "it takes too long", "time", (3, 4)).result()
    assert (caught.value.kind, caught.value.place) == ("time", (3, 4))
    assert str(caught.value) == "it takes too long (line 3, column 4)"
