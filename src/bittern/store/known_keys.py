"""Root and session keys that everybody knows: defaults of makers, examples, patterns.

The list is of hashes, so that this file gives nobody a key to try. They were compiled from what
makers publish: samples of LoRaMac-node, STM32 and Zephyr, the manuals of Milesight, Heltec,
RAKwireless and Seeed, the documentation of lora-packet. A hash hides nothing that was published,
and a key that is not on the list may be as well known: it says what to change, and no more.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise

from bittern.store.codec import secret_bytes
from bittern.types import EUI64, AES128Key

_KNOWN: dict[str, str] = {
    "d4ffb8b77f7d6b26196e9a070e983f6701a4c42dec813d4de1a535d20a7df536": "AES example of FIPS 197",
    "1f644d16b7b7da6cfd4f86e31a318ee7a1eb86c2e9a4da0f069423d49931c28c": "Milesight",
    "3bb2a2c1b83c312d3135c4d2f94ec1f3a942d7592756ce9b53e1fd303e20b966": "Heltec",
    "4c989d0c271e1e403d5f908f9adcd48d1cd17c96523b854ee558128a4fb20fc5": "RAKwireless examples",
    "6ca5ed51c382e885f7f876ed27af1393271d372a2735327e3efdf0d86323dc18": "Heltec (NwkSKey)",
    "3f12511c49b921c5e6f9e2cdb6f8312aeabdabcec836f2f351a5f47a1d1c9dca": "Heltec (NwkSKey)",
    "711f97bed2e0bc4f9a6a95ebedfb89e4493df08ea37f7f81209abff38d815de9": "Heltec (AppSKey)",
    "59414a45f479cb4943a1139d7a48270b383fe2ea417fc00b77947aecb998f9a7": "RAKwireless (NwkSKey)",
    "ece64a433f54c44c76b2fcbeee23e7d119217e103aaec974d59fc3bc4e10ddbd": "RAKwireless (AppSKey)",
    "a2408418a377794167782e0c1489b2d9c6eda60d3698b8a3b0803c0d6b9897eb": "RAKwireless documentation",
    "c89fd402b4b1e11bdd0274f122b864e1369f4ed1bc3be62ede971cc1742d09ff": "RAKwireless documentation",
    "be45cb2605bf36bebde684841a28f0fd43c69850a3dce5fedba69928ee3a8991": "counting up",
    "a8faed6abbf35c12a4b26e40f6feb19d736d90045c83b9f9a31f638d323e6811": "counting up",
    "223e0a160af9da0a03e6dd2c4719c56f5d66a633cbe84e78aaa9f3735865522a": "counting up",
    "ad41233d22cf9322e3a7ff49a13da434797abed3bab80950a1a0d4e582b7ea72": "counting up",
    "8c8d564f873fa188ac07860a7bd2f3bce099fa6ec875c0e0b93636ee869604be": "counting up",
    "5dfbabeedf318bf33c0927c43d7630f51b82f351740301354fa3d7fc51f0132e": "counting up",
    "aa453f73a4eb81d4fd4e1a10a7ab5ce5bd77882fd5fdccb92465f06ac7046d74": "counting up",
    "d0d657861ad8623aabc922feb3ac850555372ed08d6778f7d5037924bcef4518": "counting up",
    "1f919296baf10802bb9783851d948bf3c048cebcf6bec518db898b2938fc2f20": "counting down",
    "811407f10d6c0f49a056cc8c01a15e42816b9d39df858e9f6c05fc5c9189b136": "counting down",
    "5df9fb8172e62116d42bd4719d9da1da3c443f1aca770725bd1b4554adba6adf": "counting down",
    "411d3f1d2390ff3f482ac8df4e730780bb081a192f283d2f373138fd101dc8fe": "counting up and down",
    "fd1679fab79576a8f134ea26bd23797d080dff39bd6297e005dc45c62b71c8f6": "a word",
    "1d595777df03d2035f006b59da746c8c1adf3e508cb689feeaab5abf2e3b7772": "a word",
    "0ce776add91ba8b4a08991de364c482a8ac9d90a812e5bd41b8dbe079420ef79": "lora-packet (NwkSKey)",
    "b2ad1defa227241aa3c0f0d3b7150b3f88869a63578e17276a4b82cad4e8e405": "lora-packet (AppSKey)",
    "bacbf55fa349d567fbcf197e18f3b220a2b6a60d65d9977cc495cdc59a35577d": "lora-packet",
    "2fe1c5017d5b29df7a6507957a3446977696071afce1df1ca618717a80d16720": "lora-packet",
    "7c3ccd10bb7ec37b46d37926ae6274267f007a34aeaf15c882a715a7f3300529": "almost nothing but zeros",
}
"""By the SHA-256 of the key: who has published it, or what it is."""
PERIODS = (1, 2, 4, 8)
"""A key that repeats itself after so many bytes has no more of them."""


def known(key: AES128Key, dev_eui: EUI64, join_eui: EUI64 | None = None) -> str | None:
    """Why anybody could guess a key, in words that do not tell it; None: it is not known here."""
    value = secret_bytes(key)
    if not any(value):
        return "all zeros"
    if (name := _KNOWN.get(hashlib.sha256(value).hexdigest())) is not None:
        return f"published: {name}"
    if _is_counting(value):
        return "its bytes count up or down"
    # Milesight's default since the end of 2025 is the DevEUI twice, which is on the label.
    for eui in (dev_eui, join_eui):
        if eui is not None and any(eui) and bytes(eui) in (value[:8], value[8:]):
            return "made of the device's identifiers"
    if any(value == value[:period] * (16 // period) for period in PERIODS):
        return "a pattern that repeats"
    return None


def fingerprint(key: AES128Key, salt: bytes) -> bytes:
    """To find the same key at several devices. `salt` is drawn for one comparison and forgotten."""
    return hashlib.blake2b(secret_bytes(key), key=salt, digest_size=16).digest()


def _is_counting(value: bytes) -> bool:
    steps = {(later - earlier) & 0xFF for earlier, later in pairwise(value)}
    return len(steps) == 1 and steps != {0}
