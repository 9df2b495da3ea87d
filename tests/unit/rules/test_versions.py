from __future__ import annotations

import pytest

from bittern.rules.versions import SqlVersion


def test_beta_is_the_newest() -> None:
    assert SqlVersion.parse("beta") is SqlVersion.V2016_03_23
    assert SqlVersion.parse("2015-10-08") is SqlVersion.V2015_10_08


def test_other_versions_are_none() -> None:
    with pytest.raises(ValueError, match="2017"):
        SqlVersion.parse("2017-01-01")
