from __future__ import annotations

from contextlib import closing

from bittern.cli.import_seen import Seen


def test_the_first_line_of_a_device_is_remembered() -> None:
    with closing(Seen()) as seen:
        assert seen.first("70B3D57ED0000001", 2) == 2
        assert seen.first("70b3d57ed0000002", 3) == 3
        assert seen.first("70b3d57ed0000001", 9) == 2
        assert seen.first("70b3d57ed0000002", 3) == 3
