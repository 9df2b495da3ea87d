"""Who follows what changes in the registry, by whichever process made the change."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

from bittern.app.gateways import trust_registered
from bittern.outputs.codecs.desk import CodecDesk
from bittern.outputs.dispatch import Dispatcher
from bittern.servers.background import Background
from bittern.servers.changes import Follower
from bittern.servers.transport import Transport
from bittern.store.ports.registry import Registry
from bittern.store.records import Change


def deliveries_followed_by(dispatcher: Dispatcher) -> Follower:
    def follow(changes: list[Change]) -> None:
        kinds = {change.kind for change in changes}
        if "rule" in kinds:
            dispatcher.rules_changed()
        elif "destination" in kinds:
            dispatcher.destinations_changed()
        for lane in {change.identity for change in changes if change.kind == "replay"}:
            dispatcher.replayed(lane)

    return follow


def codecs_followed_by(codecs: CodecDesk) -> Follower:
    def follow(changes: list[Change]) -> None:
        if any(change.kind == "codec" for change in changes):
            codecs.forget()

    return follow


def certificates_followed_by(
    transport: Transport, registry: Registry, background: Background
) -> Follower:
    """Certificates of outside authorities get past the handshake as soon as they are registered."""

    def follow(changes: list[Change]) -> None:
        if any(change.kind == "certificate" for change in changes):
            background.start(trust_registered(transport, registry), "trust certificates")

    return follow


def starting_over(*steps: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    """What is done when changes were lost: whatever is kept of the registry is read anew, step by
    step. What a step returns is awaited if that can be."""

    async def start_over() -> None:
        for step in steps:
            done = step()
            if inspect.isawaitable(done):
                await done

    return start_over
