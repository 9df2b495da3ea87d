from __future__ import annotations

import pytest

from bittern.errors import SealBroken
from bittern.keys.ring import KeyRing
from bittern.store.note_codec import note_from_row, note_to_row
from bittern.store.notes import Note
from bittern.testing.examples import NOW

NOTE = Note(kind="tags", name="Destination/plant", at=NOW, body='{"a":"b"}')


def test_a_note_survives_its_row(vault: KeyRing) -> None:
    assert note_from_row(note_to_row(NOTE, vault), vault) == NOTE


def test_a_note_is_sealed_for_its_account_and_name(vault: KeyRing) -> None:
    row = note_to_row(NOTE, vault)
    assert isinstance(row[-1], bytes)
    assert NOTE.body.encode() not in row[-1]
    for moved in (("1", *row[1:]), (row[0], "logs", *row[2:]), (*row[:2], "x", *row[3:])):
        with pytest.raises(SealBroken):
            note_from_row(moved, vault)


def test_a_note_of_an_earlier_version_is_in_the_clear(vault: KeyRing) -> None:
    row = (NOTE.account, NOTE.kind, NOTE.name, NOTE.at, NOTE.body)
    assert note_from_row(row, vault) == NOTE
