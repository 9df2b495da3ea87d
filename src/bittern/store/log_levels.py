"""Which log lines an account wants: what it has said of all its resources, and of single ones."""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.store.notes import Note

DEFAULT = "default"
"""Name of the note of all resources; the others are ``WirelessDevice/ID``."""

LogLevel = Literal["INFO", "ERROR", "DISABLED"]
Resource = Literal["WirelessDevice", "WirelessGateway", "FuotaTask"]


class _EventOption(msgspec.Struct, frozen=True, rename="pascal"):
    event: str
    log_level: LogLevel


class _Option(msgspec.Struct, frozen=True, rename="pascal"):
    type: str
    log_level: LogLevel
    events: tuple[_EventOption, ...] = ()


class LevelsOfAll(msgspec.Struct, frozen=True, rename="pascal"):
    """As UpdateLogLevelsByResourceTypes has it."""

    default_log_level: LogLevel = "ERROR"
    """Until somebody says otherwise, as at AWS once logging is on."""
    wireless_device_log_options: tuple[_Option, ...] = ()
    wireless_gateway_log_options: tuple[_Option, ...] = ()
    fuota_task_log_options: tuple[_Option, ...] = ()

    def of(self, resource: Resource, event: str) -> LogLevel:
        """The option of the event decides before that of the type, and that before the default."""
        for option in self._options(resource):
            if option.type == "LoRaWAN":
                found = {one.event: one.log_level for one in option.events}
                return found.get(event, option.log_level)
        return self.default_log_level

    @property
    def inform(self) -> bool:
        """Whether any line at all is wanted of what is not an error."""
        options = [one for kind in _RESOURCES for one in self._options(kind)]
        levels = {level for one in options for level in _levels(one)}
        return "INFO" in {self.default_log_level, *levels}

    def _options(self, resource: Resource) -> tuple[_Option, ...]:
        match resource:
            case "WirelessDevice":
                return self.wireless_device_log_options
            case "WirelessGateway":
                return self.wireless_gateway_log_options
            case "FuotaTask":
                return self.fuota_task_log_options


_RESOURCES: tuple[Resource, ...] = ("WirelessDevice", "WirelessGateway", "FuotaTask")


def _levels(option: _Option) -> set[LogLevel]:
    return {option.log_level, *(one.log_level for one in option.events)}


class LevelOfOne(msgspec.Struct, frozen=True, rename="pascal"):
    """As PutResourceLogLevel has it."""

    log_level: LogLevel


def levels_of_all(note: Note) -> LevelsOfAll:
    return msgspec.json.decode(note.body, type=LevelsOfAll)


def level_of_one(note: Note) -> LogLevel:
    return msgspec.json.decode(note.body, type=LevelOfOne).log_level
