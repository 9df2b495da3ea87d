"""What can be told about a literal argument when the statement is compiled.

A pattern that is computed can only be Undefined when it is wrong; one that is written down is
better refused at once, with its place.
"""

from __future__ import annotations

from bittern.rules.functions import time_formatting, time_reading
from bittern.rules.functions.collections import CHOICES
from bittern.rules.functions.patterns import pattern_problem
from bittern.rules.functions.registry import Function
from bittern.rules.functions.zones import zone


def literal_problem(function: Function, position: int, literal: str) -> str:
    """Empty if there is none."""
    if position in function.literal and literal not in (choices := CHOICES[function.name]):
        return f"{function.name} knows {' and '.join(choices)}, not {literal}"
    match function.name, position:
        case (("regexp_matches" | "regexp_replace" | "regexp_substr"), 1):
            problem = pattern_problem(literal)
            return f"no regular expression of RE2: {problem}" if problem else ""
        case "parse_time", 0:
            return "" if time_formatting.is_format(literal) else "no time pattern of Joda-Time"
        case "parse_time", 2:
            return "" if zone(literal) else f"unknown time zone {literal}"
        case "time_to_epoch", 1:
            return "" if time_reading.is_format(literal) else "no time pattern of Java 11"
        case _:
            return ""
