from __future__ import annotations

import msgspec

from bittern.upkeep.doctor import facts


def test_no_fact_has_room_for_a_key():
    """Bytes only as a fingerprint, and no key type at all."""
    for kind in vars(facts).values():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            for field in msgspec.structs.fields(kind):
                assert "Key" not in getattr(field.type, "__name__", "") or "Fact" in str(field.type)
                assert field.type is not bytes or field.name == "fingerprint"
