"""Every setting of bittern: a TOML file and the environment, read into frozen typed values.

All problems are found in one pass and told together, each with its path. Secrets never stand in
the configuration file; they come from a file of their own or the environment.
"""

from bittern.config.loading import load
from bittern.config.reference import reference
from bittern.config.settings import (
    Api,
    Aws,
    Certificates,
    Configuration,
    Cups,
    Firmware,
    Keys,
    Lns,
    Log,
    Mqtt,
    Network,
    Secret,
    Server,
    Store,
)

__all__ = [
    "Api",
    "Aws",
    "Certificates",
    "Configuration",
    "Cups",
    "Firmware",
    "Keys",
    "Lns",
    "Log",
    "Mqtt",
    "Network",
    "Secret",
    "Server",
    "Store",
    "load",
    "reference",
]
