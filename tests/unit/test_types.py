from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern import types
from bittern.types import EUI64, AES128Key, AppKey, DevAddr, NetID, NwkKey, Refusal

KEY = bytes(range(16))
KINDS = sorted(AES128Key.__subclasses__(), key=lambda kind: kind.__name__)


def test_an_identifier_is_shown_as_it_is_printed_on_the_label() -> None:
    eui = EUI64.from_hex("0016C001FF000001")
    assert str(eui) == "0016c001ff000001"
    assert repr(eui) == "EUI64(0016c001ff000001)"


def test_an_identifier_goes_on_air_least_significant_byte_first() -> None:
    assert DevAddr.from_wire(bytes.fromhex("04030201")) == DevAddr.from_hex("01020304")
    assert NetID.from_hex("00003c").to_wire() == bytes.fromhex("3c0000")


@pytest.mark.parametrize("text", ["00-16-c0-01-ff-00-00-01", "0016:C001:FF00:0001"])
def test_separators_are_ignored(text: str) -> None:
    assert EUI64.from_hex(text) == EUI64.from_hex("0016c001ff000001")


@pytest.mark.parametrize("text", ["", "01", "0016c001ff0000011", "0016c001ff00000g", "x" * 16])
def test_text_of_another_shape_is_no_identifier(text: str) -> None:
    with pytest.raises(ValueError, match="EUI64 is 16 hexadecimal digits"):
        EUI64.from_hex(text)


@pytest.mark.parametrize(("kind", "size"), [(EUI64, 8), (DevAddr, 4), (NetID, 3)])
def test_an_identifier_has_one_size(kind: type[EUI64 | DevAddr | NetID], size: int) -> None:
    assert len(kind(bytes(size))) == size
    for wrong in (size - 1, size + 1):
        with pytest.raises(ValueError, match=f"{kind.__name__} is {size} bytes, not {wrong}"):
            kind(bytes(wrong))


@given(st.binary(min_size=8, max_size=8))
def test_every_way_to_write_an_identifier_can_be_read(value: bytes) -> None:
    eui = EUI64(value)
    assert EUI64.from_wire(eui.to_wire()) == eui
    assert EUI64.from_hex(str(eui)) == eui
    assert EUI64.from_int(int(eui)) == eui


def test_a_number_too_large_is_no_identifier() -> None:
    with pytest.raises(OverflowError):
        DevAddr.from_int(1 << 32)


def test_there_are_keys_to_test() -> None:
    assert {NwkKey, AppKey} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_does_not_print(kind: type[AES128Key]) -> None:
    key = kind(KEY)
    shown = f"{key} {key!r} {[key]} { ({'key': key}) }"
    assert KEY.hex() not in shown
    assert repr(KEY)[2:-1] not in shown
    assert f"{kind.__name__}(…)" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_has_nothing_to_dump(kind: type[AES128Key]) -> None:
    key = kind(KEY)
    assert not hasattr(key, "__dict__")
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="does not pickle"):
            leave(key)


def test_a_mistyped_key_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="AppKey is 32 hexadecimal digits") as caught:
        AppKey.from_hex("2b7e151628aed2a6abf7158809cf4f3")
    assert "2b7e" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_key_has_sixteen_bytes() -> None:
    with pytest.raises(ValueError, match="AppKey is 16 bytes, not 15"):
        AppKey(KEY[:15])


def test_keys_are_compared_by_value() -> None:
    assert AppKey(KEY) == AppKey.from_hex(KEY.hex())
    assert AppKey(KEY) != AppKey(bytes(16))
    assert AppKey(KEY) != KEY


def test_a_key_is_revealed_by_name_only() -> None:
    key = AppKey(KEY)
    assert key.reveal() == KEY
    with pytest.raises(TypeError):
        bytes(key)  # type: ignore[call-overload]


def test_a_key_is_no_dictionary_key() -> None:
    with pytest.raises(TypeError, match="not a dictionary key"):
        hash(AppKey(KEY))


def test_a_refusal_is_a_metric_label() -> None:
    for refusal in Refusal:
        assert refusal.value == refusal.name.lower()
        assert refusal.value.replace("_", "").isalpha()


def test_every_public_name_is_documented() -> None:
    for kind in vars(types).values():
        if isinstance(kind, type) and kind.__module__ == types.__name__:
            assert kind.__doc__, kind


def test_of_a_key_in_a_token_only_its_name_there_is_here() -> None:
    key = AppKey.in_token("0016c001ff000001 AppKey")
    assert repr(key) == "AppKey(…)"
    with pytest.raises(LookupError, match="AppKey is in a token"):
        key.reveal()
    assert key == AppKey.in_token("0016c001ff000001 AppKey")
    assert key != AppKey.in_token("0016c001ff000002 AppKey")
    assert AppKey(KEY) != key != AppKey(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(key)
