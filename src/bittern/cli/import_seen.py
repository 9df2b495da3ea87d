"""Which DevEUIs a file has had, and where: on disk, for there may be any number of them."""

from __future__ import annotations

import sqlite3


class Seen:
    """In a temporary database of SQLite, which is gone when it is closed."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("CREATE TABLE seen (dev_eui TEXT PRIMARY KEY, line INTEGER)")
        self._database.execute("BEGIN")

    def close(self) -> None:
        self._database.close()

    def first(self, dev_eui: str, line: int) -> int:
        """The line that had it first, which may be this one."""
        key = (dev_eui.lower(),)
        added = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (*key, line))
        if added.rowcount:
            return line
        ((before,),) = self._database.execute("SELECT line FROM seen WHERE dev_eui = ?", key)
        return int(before)
