from __future__ import annotations

from bittern.cli.transfer import shown


def test_nothing_is_shown_where_nobody_sees_it(capsys):
    with shown() as progress:
        progress("bittern.db", 10, 100)
        progress("bittern.db", 100, 100)
        progress("sealed values", 5, 0)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.strip() == ""
