from __future__ import annotations

from bittern.outputs.bounds import DispatchSettings


def test_a_page_fits_into_what_memory_holds() -> None:
    bounds = DispatchSettings()
    assert 2 * bounds.page <= bounds.capacity
    assert bounds.anchor_after_s < bounds.give_up_s
