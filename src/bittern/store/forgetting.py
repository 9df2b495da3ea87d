"""What is said of a resource beside its record, and has to go with it."""

from __future__ import annotations

from bittern.store.ports.notes import NoteStore


async def forget(store: NoteStore, account: str, rest: str) -> None:
    """Behind the removal of a resource, `rest` being its name in the ARN:
    ``WirelessDevice/1234…``."""
    await store.remove_note(account, "tags", rest)
    if rest.startswith("Wireless"):
        await store.remove_note(account, "events", rest)
        await store.remove_note(account, "position", rest)
    if rest.startswith(("Wireless", "FuotaTask")):
        await store.remove_note(account, "logs", rest)
