"""Tokens of SoftHSM, in a folder of their own, for tests of what uses one."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from bittern.config import Keys, Secret

MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/opt/homebrew/lib/softhsm/libsofthsm2.so"),
)
MODULE = next((path for path in MODULES if path.exists()), None)
PIN, OFFICER = "7491", "2648"


def missing() -> str | None:
    """Why there can be no tokens here."""
    if MODULE is None or shutil.which("softhsm2-util") is None:
        return "SoftHSM is not installed (Debian: softhsm2)"
    if find_spec("pkcs11") is None:
        return "python-pkcs11 is not installed (bittern[pkcs11])"
    return None


def configure(folder: Path) -> None:
    """Let this process, and those that it starts, have its tokens in `folder`."""
    tokens = folder / "tokens"
    tokens.mkdir(parents=True)
    text = f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    (folder / "softhsm2.conf").write_text(text)
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")


def make(label: str) -> None:
    words = ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", OFFICER]
    subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
    begin_anew()


def begin_anew() -> None:
    """As if the module had been loaded now: all sessions end."""
    import pkcs11

    pkcs11.lib(str(MODULE)).reinitialize()


def keys(label: str, pin: str = PIN) -> Keys:
    return Keys(provider="pkcs11", pkcs11_module=MODULE, pkcs11_token=label, pkcs11_pin=Secret(pin))


def login_flags(label: str) -> int:
    """CKF_USER_PIN_COUNT_LOW, FINAL_TRY and LOCKED."""
    import pkcs11

    return int(pkcs11.lib(str(MODULE)).get_token(token_label=label).flags) & 0x70000


def folder() -> Path:
    """Where the tokens of this process are."""
    return Path(os.environ["SOFTHSM2_CONF"]).parent
