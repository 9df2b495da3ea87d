"""What `docs/limits.md` tells is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from bittern.config.quiet import MOST_TOLD, QUIET_S
from bittern.config.settings import settings
from bittern.network.join_limits import JoinLimits
from bittern.outputs.broker import gate
from bittern.outputs.broker.limits import BrokerLimits
from bittern.outputs.broker.throttle import ThrottleLimits
from bittern.servers import api, api_limits, cups, http
from bittern.servers.acceptor import AcceptorLimits

TEXT = (Path(__file__).parents[2] / "docs/limits.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z_.]+)` \| (\S+) \| (.+) \| .+ \|$", TEXT, re.MULTILINE)
FIXED = TEXT.partition("What cannot be set:")[2]


def test_every_setting_has_its_default_there() -> None:
    known = settings()
    assert len(ROWS) > 15
    assert {path: float(told) for path, told, _ in ROWS} == {
        path: float(known[path].default) for path, _, _ in ROWS
    }


def test_every_limit_of_a_rate_or_a_number_of_strangers_is_told() -> None:
    wanted = re.compile(r"^(api|lns|cups|mqtt)\..*(_per_(second|minute|user)|requests|handshakes)$")
    assert {path for path in settings() if wanted.match(path)} <= {path for path, _, _ in ROWS}


def test_what_stands_behind_a_setting_is_told() -> None:
    told = {path: text for path, _, text in ROWS}
    assert api_limits.AT_ONCE_S == 5.0
    assert "five times as many" in told["api.requests_per_second"]
    assert f"after {api_limits.BURST}" in told["api.failures_per_minute"]
    assert f"{api.READ_AT_ONCE_BYTES >> 20} MiB" in told["api.max_body_bytes"]


def test_what_cannot_be_set_is_told() -> None:
    throttle, joins, broker = ThrottleLimits(), JoinLimits(), BrokerLimits()
    for told in (
        f"{AcceptorLimits().waiting} connections that are not through",
        f"(of the API {http.CONNECTIONS})",
        f"{http.CONNECTIONS}, half of them of one place; {http.SILENCE_S:g} s of silence",
        f"{cups.CONNECTIONS}, half of them of one place",
        f"{throttle.free} wrong ones",
        f"then {throttle.first_s:g} s, 2 s, 4 s, up to {throttle.ceiling_s:g} s",
        f"| MQTT passwords checked at once | {gate.AT_ONCE} |",
        f"| a refused MQTT login | {broker.failed_login_s:g} s |",
        f"{joins.device.burst:g} at once, then one in {1 / joins.device.per_second:g} s",
        f"{joins.gateway.burst:g} at once, then {joins.gateway.per_second:g} a second",
        f"the same once in {QUIET_S:g} s, {MOST_TOLD} different ones in {QUIET_S:g} s",
    ):
        assert told in FIXED, told
