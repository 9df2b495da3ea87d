"""What is wrong, and what to do about it: each check is a function of facts.

An error makes the installation unsafe or will end its service; a warning will become one, or is one
to some; a note is for a person to know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from bittern.upkeep.doctor.facts import Facts, KeyFact

Severity = Literal["error", "warning", "note"]
ORDER: tuple[Severity, ...] = ("error", "warning", "note")

DAY_S = 86_400.0
SOON_S = 30 * DAY_S
"""A certificate that ends so soon wants attention."""
DATA_KEY_S = 365 * DAY_S
PASSWORD_S = 365 * DAY_S
UNUSED_S = 90 * DAY_S
"""An access key that nobody has used for so long is not needed."""
NEW_S = 7 * DAY_S
"""One that was never used may still be on its way to whoever will."""
LEAST_FREE = 512 << 20
LEAST_FREE_SHARE = 0.05
SLOW_FSYNC_S = 0.1
SUSPICIOUS_FSYNC_S = 20e-6
"""No disk is that fast: somebody answers before it is written."""
AHEAD_S = 300.0
TOLD = 10


class Finding(msgspec.Struct, frozen=True):
    check: str
    severity: Severity
    what: str
    cure: str


def examined(facts: Facts) -> list[Finding]:
    """Everything that was found, the worst first."""
    found = [finding for check in CHECKS for finding in check(facts)]
    return sorted(found, key=lambda one: ORDER.index(one.severity))


def permissions(facts: Facts) -> Iterator[Finding]:
    for path in facts.paths:
        if path.mode & 0o077:
            severity: Severity = "error" if path.secret or path.mode & 0o022 else "warning"
            mode = "700" if path.mode & 0o100 and not path.secret else "600"
            yield Finding(
                "permissions",
                severity,
                f"{path.path} is open to others (mode {path.mode:o})",
                f"chmod {mode} {path.path}"
                + ("; then `bittern keys rotate`, it may have been read" if path.secret else ""),
            )
        if not path.ours:
            yield Finding(
                "permissions",
                "error",
                f"{path.path} belongs to another user",
                f"chown it to the user that runs bittern: {path.path}",
            )


def certificates(facts: Facts) -> Iterator[Finding]:
    now = facts.clock.now
    for one in facts.certificates:
        if one.not_after <= now:
            yield Finding("certificates", "error", f"{one.what} has ended", one.cure)
        elif one.not_after - now < SOON_S:
            left = _days(one.not_after - now)
            yield Finding("certificates", "warning", f"{one.what} ends in {left}", one.cure)
        if one.not_before > now:
            what = f"{one.what} is not valid yet: a clock is wrong"
            yield Finding("certificates", "error", what, "set the clock of this machine")


def gateways(facts: Facts) -> Iterator[Finding]:
    now = facts.clock.now
    for one in facts.gateways:
        what = f"gateway {one.gateway_eui}: its {one.purpose} certificate"
        cure = f"`bittern gateway certificate renew {one.gateway_eui}`"
        if one.not_after <= now:
            yield Finding("gateways", "error", f"{what} has ended", cure)
        elif one.not_after - now < SOON_S:
            if one.by_cups:  # it would have, months ago
                cure = f"see that it asks CUPS: `bittern gateway show {one.gateway_eui}`; or {cure}"
            left = _days(one.not_after - now)
            yield Finding("gateways", "warning", f"{what} ends in {left}", cure)


def clock(facts: Facts) -> Iterator[Finding]:
    found = facts.clock
    if found.synchronized is False:
        yield Finding(
            "clock",
            "warning",
            "the clock is not synchronized: certificates and signatures are judged by it",
            "enable systemd-timesyncd or chrony",
        )
    if found.last_event is not None and found.last_event - found.now > AHEAD_S:
        yield Finding(
            "clock",
            "error",
            f"the clock is {_days(found.last_event - found.now)} behind what is stored",
            "set the clock; what is stored keeps its order",
        )


def entropy(facts: Facts) -> Iterator[Finding]:
    if not facts.has_entropy:
        yield Finding(
            "entropy",
            "error",
            "the system's random numbers are not ready: keys would wait",
            "wait, or give the machine a source (virtio-rng, rng-tools)",
        )


def disk(facts: Facts) -> Iterator[Finding]:
    found = facts.disk
    room = f"{found.free_bytes >> 20} MiB of {found.total_bytes >> 20} MiB are free"
    if found.free_bytes < LEAST_FREE or found.free_bytes < LEAST_FREE_SHARE * found.total_bytes:
        severity: Severity = "error" if found.free_bytes < LEAST_FREE // 4 else "warning"
        yield Finding("disk", severity, room, "make room; a full disk stops every device")
    elif found.budget_bytes - found.database_bytes > found.free_bytes:
        what = f"{room}, less than delivery.disk_budget_mib lets the database grow"
        yield Finding("disk", "note", what, "lower delivery.disk_budget_mib, or make room")
    if found.fsync_s > SLOW_FSYNC_S:
        what = f"a flush takes {found.fsync_s * 1000:.0f} ms: every answer waits for one"
        yield Finding("disk", "warning", what, "move the data directory to a faster disk")
    elif found.fsync_s < SUSPICIOUS_FSYNC_S:
        what = "a flush takes no time: what was answered may not survive a power cut"
        yield Finding("disk", "warning", what, "use a disk, not a memory file system")


def listeners(facts: Facts) -> Iterator[Finding]:
    for one in facts.listeners:
        if one.tls or _is_loopback(one.host):
            continue
        yield Finding(
            "listeners",
            "warning" if one.on_purpose else "error",
            f"{one.name} listens on {one.host} without TLS: keys and messages can be read",
            f"set {one.name}.tls, bind it to 127.0.0.1, or put a proxy with TLS before it",
        )


def data_keys(facts: Facts) -> Iterator[Finding]:
    provider = facts.provider
    if provider.problem:
        yield Finding(
            "data keys",
            "error",
            f"{provider.where}: {provider.problem}",
            "without it nothing opens at the next start",
        )
    for key in facts.data_keys:
        age = facts.clock.now - key.created_at
        if key.state == "active" and age > DATA_KEY_S:
            yield Finding(
                "data keys",
                "note",
                f"data key {key.id} has sealed for {_days(age)}",
                "`bittern keys rotate`",
            )


def device_keys(facts: Facts) -> Iterator[Finding]:
    """Weak ones, and the same at several devices."""
    same: dict[bytes, list[KeyFact]] = defaultdict(list)
    for key in facts.keys:
        same[key.fingerprint].append(key)
        if key.weakness is not None:
            yield Finding(
                "device keys",
                "error",
                f"device {key.dev_eui}: its {key.name} is known to everybody ({key.weakness})",
                "draw a new one in the device, `bittern device remove` it and add it again",
            )
    for keys in same.values():
        euis = sorted({str(key.dev_eui) for key in keys})
        if len(euis) > 1 and keys[0].weakness is None:
            more = f" and {len(euis) - TOLD} more" if len(euis) > TOLD else ""
            yield Finding(
                "device keys",
                "warning",
                f"{len(euis)} devices share one {keys[0].name}: {', '.join(euis[:TOLD])}{more}",
                "give each its own: who opens one device has them all",
            )


def access_keys(facts: Facts) -> Iterator[Finding]:
    now = facts.clock.now
    for key in facts.access_keys:
        if not key.active:
            continue
        cure = f"`bittern access-key remove {key.id}` if nobody needs it"
        if key.last_used_at is None and now - key.created_at > NEW_S:
            what = f"access key {key.id} was never used in {_days(now - key.created_at)}"
            yield Finding("access keys", "warning", what, cure)
        elif key.last_used_at is not None and now - key.last_used_at > UNUSED_S:
            what = f"access key {key.id} was last used {_days(now - key.last_used_at)} ago"
            yield Finding("access keys", "warning", what, cure)


def broker(facts: Facts) -> Iterator[Finding]:
    found, now = facts.broker, facts.clock.now
    if found is None:
        return
    if found.password_file_since is not None:
        age = now - found.password_file_since
        what = f"the broker's default password stands in mqtt.password since {_days(age)}"
        cure = "note it and delete the file; or give programs users of their own"
        yield Finding("broker", "warning" if age > PASSWORD_S else "note", what, cure)
    if found.users_changed_at is not None and now - found.users_changed_at > PASSWORD_S:
        what = f"no password of the broker was changed for {_days(now - found.users_changed_at)}"
        yield Finding("broker", "note", what, "`bittern mqtt user passwd`")


def database(facts: Facts) -> Iterator[Finding]:
    found = facts.database
    for fault in found.faults:
        yield Finding(
            "database",
            "error",
            fault,
            "stop the server and restore the last backup: docs/backup.md",
        )
    if found.schema > found.newest:
        what = f"schema {found.schema} is of a later bittern; this one knows {found.newest}"
        yield Finding("database", "error", what, "install that bittern again")
    elif found.schema < found.newest:
        what = f"schema {found.schema} of {found.newest}: the next start brings it up to date"
        yield Finding("database", "note", what, "`bittern backup` first")


def versions(facts: Facts) -> Iterator[Finding]:
    for one in facts.versions:
        if one.found < one.least:
            found, least = (".".join(map(str, parts)) for parts in (one.found, one.least))
            what = f"{one.name} {found} is older than {least}"
            yield Finding("versions", "warning", what, f"update {one.name}")


def dumps(facts: Facts) -> Iterator[Finding]:
    if facts.core_dumps:
        yield Finding(
            "dumps",
            "warning",
            "server.core_dumps allows core dumps: every key in use would be in one",
            "set it to false when the fault is found",
        )


def held_sessions(facts: Facts) -> Iterator[Finding]:
    if facts.held_sessions:
        yield Finding(
            "restore",
            "note",
            f"{facts.held_sessions} sessions are held since a restore: devices have to join, or be"
            " heard for their quarantine",
            "docs/backup.md",
        )


CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    permissions,
    certificates,
    gateways,
    clock,
    entropy,
    disk,
    listeners,
    data_keys,
    device_keys,
    access_keys,
    broker,
    database,
    versions,
    dumps,
    held_sessions,
)


def _days(seconds: float) -> str:
    if seconds < 2 * DAY_S:
        return f"{seconds / 3600:.0f} hours"
    return f"{seconds / DAY_S:.0f} days"


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
