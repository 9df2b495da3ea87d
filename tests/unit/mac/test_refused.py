from __future__ import annotations

from bittern.mac.refused import Refused
from bittern.types import Refusal


def test_a_refusal_is_a_value_with_a_name_and_a_reason():
    refused = Refused(Refusal.MIC_MISMATCH, "the keys of the session give another MIC")
    assert refused == Refused(Refusal.MIC_MISMATCH, "the keys of the session give another MIC")
    assert (refused.refusal, refused.dev_eui) == ("mic_mismatch", None)
