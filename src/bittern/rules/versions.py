"""The versions of AWS IoT SQL.

Source: AWS IoT Core developer guide, "SQL versions", and the notes on versions in "Data types" and
at each function. 2015-10-08 has no literals of objects and arrays, no nested queries, fewer types
and functions, and keeps numbers such as 10.0 as Decimals, where 2016-03-23 takes them as Ints.
"""

from __future__ import annotations

from enum import StrEnum


class SqlVersion(StrEnum):
    V2015_10_08 = "2015-10-08"
    V2016_03_23 = "2016-03-23"

    @classmethod
    def parse(cls, name: str) -> SqlVersion:
        """``beta`` is AWS's name for the newest. Raises `ValueError`."""
        return cls.V2016_03_23 if name == "beta" else cls(name)
