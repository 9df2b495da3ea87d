"""What a person does about a gateway that is refused."""

from __future__ import annotations

from bittern.types import GatewayEUI, Refusal

_CURES: dict[Refusal, str] = {
    Refusal.UNKNOWN_GATEWAY: "Register it by `bittern gateway add {eui}`.",
    Refusal.MALFORMED_GATEWAY_EUI: "Give its station.conf a `routerid` of 16 hexadecimal digits.",
    Refusal.CERTIFICATE_MISSING: "Copy the .crt and .key files that `bittern gateway add` wrote"
    " beside its .trust file, or make new ones by `bittern gateway certificate renew {eui}`.",
    Refusal.CERTIFICATE_UNKNOWN: "Make files of this installation by `bittern gateway certificate"
    " renew {eui}`, or take in the certificate that it has by `bittern gateway certificate register"
    " {eui} --file FILE`.",
    Refusal.CERTIFICATE_OF_ANOTHER_GATEWAY: "It has the files of another gateway: give each its"
    " own, or make new ones by `bittern gateway certificate renew {eui}`.",
    Refusal.CERTIFICATE_OF_ANOTHER_ACCOUNT: "Make files for the account that it is registered in by"
    " `bittern gateway certificate renew {eui}`.",
    Refusal.CERTIFICATE_INACTIVE: "Let it in again by `bittern gateway certificate activate {eui}"
    " FINGERPRINT`.",
    Refusal.CERTIFICATE_REVOKED: "A revoked certificate never counts again: make new files by"
    " `bittern gateway certificate renew {eui}`, and look who still uses the old ones.",
    Refusal.CERTIFICATE_EXPIRED: "Make new files by `bittern gateway certificate renew {eui}`, and"
    " find out why CUPS did not renew them in time.",
    Refusal.CERTIFICATE_FOR_ANOTHER_PURPOSE: "The files of CUPS and those of the LNS are mixed up"
    " on the gateway: cups.crt and tc.crt are two certificates.",
    Refusal.GATEWAY_MISCONFIGURED: "Its registration asks for what its station cannot do: change it"
    " by `bittern gateway set {eui}`.",
    Refusal.STATION_TOO_OLD: "Update Basics Station on the gateway, by its maker's means if CUPS"
    " does not get that far.",
    Refusal.STATION_VERSION_UNREADABLE: "Install a Basics Station that tells its version as"
    " numbers: 2.0.6.",
    Refusal.MALFORMED_MESSAGE: "Something else than a Basics Station speaks there, or one that is"
    " modified: see the log for what it sent.",
    Refusal.UNKNOWN_MSGTYPE: "Nothing is lost: its station knows messages that this server does"
    " not; tell the makers of bittern which.",
    Refusal.OVERSIZED_MESSAGE: "If its station means these messages, raise lns.max_message_bytes.",
    Refusal.TOO_MANY_MALFORMED: "Something else than a Basics Station speaks there, or one that is"
    " modified: see the log for what it sent.",
    Refusal.TOO_MANY_MESSAGES: "Look what it hears; if so much is true, raise"
    " lns.messages_per_second.",
    Refusal.TOO_MANY_REQUESTS: "It asks CUPS again and again: look into the station's log for what"
    " it does not take, and whether two gateways have the same EUI.",
    Refusal.STORE_UNAVAILABLE: "Look after the server: its disk is full or its database away.",
    Refusal.OVERLOADED: "It comes back by itself; if it does not, the server needs a faster"
    " machine.",
}

CURED = frozenset(_CURES)


def cure(refusal: Refusal, gateway_eui: GatewayEUI) -> str:
    """One sentence. Empty for the refusal of a frame."""
    return _CURES.get(refusal, "").format(eui=gateway_eui)
