"""Documents with something wrong in them."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NUMBERS = st.sampled_from(["", "1_0", " 1", "9" * 40, "1e999", "nan", "-inf", "٣", "0x10", "True"])
TEXT = st.text(max_size=8) | NUMBERS


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """The same document with something else somewhere in it."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: draw(spoilt(value[name]))}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [draw(spoilt(value[0])), *value[1:]]
    return draw(JSON)


@st.composite
def bodies(draw: st.DrawFn, right: bytes) -> bytes:
    try:
        document = msgspec.json.decode(right)
    except msgspec.MsgspecError:
        document = {}
    return draw(
        st.binary(max_size=30)
        | st.just(b"[" * 5000)
        | st.just(b'{"Tags":' * 3000)
        | spoilt(document).map(msgspec.json.encode)
    )
