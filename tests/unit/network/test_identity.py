import random
import re

from bittern.network.identity import downlink_message_id, uplink_message_id


def test_an_uplink_message_id_is_a_version_4_uuid():
    identity = uplink_message_id(random.Random(1))
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", identity
    )


def test_a_downlink_message_id_has_groups_of_8_8_4_4():
    identity = downlink_message_id(random.Random(1))
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", identity)


def test_small_numbers_keep_their_leading_zeros():
    class Low:
        def getrandbits(self, k: int, /) -> int:
            return 1

    assert downlink_message_id(Low()) == "00000000-00000000-0000-0001"
