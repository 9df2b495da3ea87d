"""`bittern device add`: a device that joins, or one that is personalized."""

from __future__ import annotations

import contextlib
import secrets
import uuid
from collections.abc import Awaitable, Iterable
from typing import Annotated, Literal

import msgspec
import typer

from bittern import installation
from bittern.cli import output, parameters
from bittern.cli.device_text import device_document, spelled
from bittern.cli.owned import require_codec
from bittern.cli.token_keys import in_token, token_of
from bittern.cli.workspace import Workspace, run
from bittern.errors import Conflict
from bittern.lorawan.crypto import SessionKeys, as_kind
from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.versions import MacVersion, uses_nwk_key
from bittern.mac.session import FIRST_REVISION_BITS
from bittern.store.disclosure import disclosed, keys_of
from bittern.store.protocol import Store
from bittern.store.records import (
    DEFAULT_ACCOUNT,
    AbpActivation,
    Device,
    DeviceProfile,
    JoinServerActivation,
    OtaaActivation,
    ServiceProfile,
)
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    Instant,
    JoinEUI,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

PROFILES = uuid.UUID("6f1a1c0e-6c5a-5d1f-9a2f-7d8f0b6a4c11")
"""Namespace of profile identifiers: the same properties are the same profile."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says of keys and addresses."""

    version: MacVersion
    join_eui: JoinEUI | None
    app_key: AppKey | None
    nwk_key: NwkKey | None
    generate_keys: bool
    join_server: bool
    dev_addr: DevAddr | None
    nwk_s_key: FNwkSIntKey | None
    app_s_key: AppSKey | None
    f_nwk_s_int_key: FNwkSIntKey | None
    s_nwk_s_int_key: SNwkSIntKey | None
    nwk_s_enc_key: NwkSEncKey | None
    fcnt_start: int | None


OTAA_ONLY = ("join_eui", "app_key", "nwk_key", "generate_keys", "join_server")
ROOT_KEYS = ("app_key", "nwk_key", "generate_keys")
ABP_ONLY = (
    "nwk_s_key",
    "app_s_key",
    "f_nwk_s_int_key",
    "s_nwk_s_int_key",
    "nwk_s_enc_key",
    "fcnt_start",
)
ABP_1_0 = ("nwk_s_key", "app_s_key")
ABP_1_1 = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")


def add(
    *,
    dev_eui: parameters.DevEuiArgument,
    version: parameters.Version = MacVersion.LORAWAN_1_0_3,
    region: parameters.Region = None,
    revision: parameters.Revision = "",
    codec: Annotated[
        str,
        typer.Option(metavar="NAME", help="What decodes its payloads: a codec, or cayenne-lpp."),
    ] = "",
    device_class: Annotated[
        Literal["A", "C"],
        typer.Option("--class", case_sensitive=False, help="Device class."),
    ] = "A",
    destination: Annotated[
        str, typer.Option(help="Where its messages go.")
    ] = installation.DEFAULT_DESTINATION,
    name: parameters.ForPeople = "",
    description: Annotated[str, typer.Option()] = "",
    join_eui: parameters.JoinEuiOption = None,
    app_key: parameters.AppKeyOption = None,
    nwk_key: parameters.NwkKeyOption = None,
    generate_keys: parameters.GenerateKeys = False,
    join_server: parameters.ByJoinServer = False,
    keys_in_token: parameters.KeysInToken = False,
    dev_addr: parameters.DevAddrOption = None,
    nwk_s_key: parameters.NwkSKeyOption = None,
    app_s_key: parameters.AppSKeyOption = None,
    f_nwk_s_int_key: parameters.FNwkSIntKeyOption = None,
    s_nwk_s_int_key: parameters.SNwkSIntKeyOption = None,
    nwk_s_enc_key: parameters.NwkSEncKeyOption = None,
    fcnt_start: parameters.FcntStart = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Add a device: one that joins by its root keys, one whose root keys are at its join server
    (--join-server) or, with --dev-addr, one with a session.

    A key may be given as 32 hexadecimal digits, as @FILE, or as - to be asked for or read from
    standard input, which keeps it out of the shell's history.
    """
    workspace = Workspace.of(data_dir, config, account)
    now = workspace.now()
    given = Given(
        version=version,
        join_eui=None if join_eui is None else JoinEUI(join_eui),
        app_key=app_key,
        nwk_key=nwk_key,
        generate_keys=generate_keys,
        join_server=join_server,
        dev_addr=dev_addr,
        nwk_s_key=nwk_s_key,
        app_s_key=app_s_key,
        f_nwk_s_int_key=f_nwk_s_int_key,
        s_nwk_s_int_key=s_nwk_s_int_key,
        nwk_s_enc_key=nwk_s_enc_key,
        fcnt_start=fcnt_start,
    )
    activation = _abp(given) if dev_addr is not None else _otaa(given)
    profile = device_profile(
        version,
        region or workspace.configuration.network.region,
        revision=_revision(revision, version),
        device_class=device_class,
        joins=not isinstance(activation, AbpActivation),
        codec=codec,
        account=workspace.account,
    )
    service = service_profile(workspace.account)
    device = Device(
        account=workspace.account,
        id=str(uuid.uuid4()),
        dev_eui=DevEUI(dev_eui),
        name=name,
        description=description,
        destination=destination,
        device_profile_id=profile.id,
        service_profile_id=service.id,
        activation=activation,
        created_at=now,
    )

    async def work() -> None:
        async with workspace.store(make=True) as store:
            await require_codec(store, workspace.account, codec)
            if not keys_in_token:
                return await register(store, device, profile, service, now)
            if not isinstance(activation, OtaaActivation):
                raise _wrong("keys_in_token", "is for a device whose root keys are here")
            async with (
                token_of(workspace.configuration) as token,
                in_token(token, device.dev_eui, activation) as there,
            ):
                stored = msgspec.structs.replace(device, activation=there)
                await register(store, stored, profile, service, now)

    run(work())
    _tell(device, profile, with_keys=generate_keys, as_json=as_json)


async def register(
    store: Store, device: Device, profile: DeviceProfile, service: ServiceProfile, now: Instant
) -> None:
    """The device, its profiles where they are new, and its session where it is personalized."""
    from bittern.api.operations.devices import personalized

    session = personalized(device, profile, now, secrets.randbits(FIRST_REVISION_BITS))
    if await store.device_profile(profile.id) is None:
        await _unless_there(store.add_device_profile(profile))
    if await store.service_profile(service.id) is None:
        await _unless_there(store.add_service_profile(service))
    await store.add_device(device, session)


async def _unless_there(adding: Awaitable[None]) -> None:
    """Somebody else may be adding the same profile."""
    with contextlib.suppress(Conflict):
        await adding


def device_profile(
    version: MacVersion,
    region: str,
    *,
    device_class: str,
    joins: bool,
    revision: str = "",
    codec: str = "",
    account: str = DEFAULT_ACCOUNT,
) -> DeviceProfile:
    """The profile of devices with these properties: one for all of them."""
    profile = DeviceProfile(
        account=account,
        id="",
        name=f"{version} {f'{region} {revision}'.rstrip()} class {device_class}"
        f" {'OTAA' if joins else 'ABP'}{f' codec {codec}' if codec else ''}",
        mac_version=version,
        region=region,
        reg_params_revision=revision,
        supports_join=joins,
        supports_class_c=device_class == "C",
        codec=codec,
    )
    return msgspec.structs.replace(profile, id=_named(profile))


def _revision(text: str, version: MacVersion) -> str:
    """As the regional parameters write it; it depends on the version what B alone means."""
    try:
        return RegionalParameters.parse(text, version) if text.strip() else ""
    except ValueError as error:
        raise _wrong("revision", str(error)) from None


def service_profile(account: str = DEFAULT_ACCOUNT) -> ServiceProfile:
    """The one that devices get which were added here."""
    profile = ServiceProfile(account=account, id="", name="default")
    return msgspec.structs.replace(profile, id=_named(profile))


def _named(profile: DeviceProfile | ServiceProfile) -> str:
    properties = msgspec.json.encode(profile, order="sorted").decode()
    return str(uuid.uuid5(PROFILES, f"{type(profile).__name__} {properties}"))


def _otaa(given: Given) -> OtaaActivation | JoinServerActivation:
    _refuse(given, ABP_ONLY, "is for a device with --dev-addr; this one joins")
    join_eui = given.join_eui or JoinEUI(EUI64(bytes(EUI64.SIZE)))
    if given.join_server:
        _refuse(given, ROOT_KEYS, "is for its join server, with `bittern join-server device add`")
        return JoinServerActivation(join_eui=join_eui)
    has_nwk_key = uses_nwk_key(given.version)
    if given.nwk_key is not None and not has_nwk_key:
        raise _wrong("nwk_key", f"LoRaWAN {given.version} has no NwkKey")
    app_key, nwk_key = given.app_key, given.nwk_key
    if given.generate_keys:
        app_key = app_key or AppKey(secrets.token_bytes(16))
        nwk_key = nwk_key or (NwkKey(secrets.token_bytes(16)) if has_nwk_key else None)
    if app_key is None:
        raise _wrong("app_key", "missing; give it, or --generate-keys, or --dev-addr for ABP")
    if has_nwk_key and nwk_key is None:
        raise _wrong("nwk_key", f"missing: LoRaWAN {given.version} has two root keys")
    return OtaaActivation(join_eui=join_eui, app_key=app_key, nwk_key=nwk_key)


def _abp(given: Given) -> AbpActivation:
    assert given.dev_addr is not None
    _refuse(given, OTAA_ONLY, "is for a device that joins; --dev-addr is for one that does not")
    wanted = ABP_1_1 if uses_nwk_key(given.version) else ABP_1_0
    others = (set(ABP_1_0) | set(ABP_1_1)) - set(wanted)
    _refuse(given, sorted(others), f"is no key of LoRaWAN {given.version}")
    for name in wanted:
        if getattr(given, name) is None:
            raise _wrong(name, "missing")
    return AbpActivation(
        dev_addr=given.dev_addr, keys=_session_keys(given), fcnt_start=given.fcnt_start or 0
    )


def _session_keys(given: Given) -> SessionKeys:
    """In LoRaWAN 1.0.x the three network keys are the NwkSKey."""
    assert given.app_s_key is not None
    if given.nwk_s_key is not None:
        return SessionKeys(
            given.nwk_s_key,
            as_kind(SNwkSIntKey, given.nwk_s_key),
            as_kind(NwkSEncKey, given.nwk_s_key),
            given.app_s_key,
        )
    assert given.f_nwk_s_int_key and given.s_nwk_s_int_key and given.nwk_s_enc_key
    return SessionKeys(
        given.f_nwk_s_int_key, given.s_nwk_s_int_key, given.nwk_s_enc_key, given.app_s_key
    )


def _refuse(given: Given, names: Iterable[str], reason: str) -> None:
    for name in names:
        if getattr(given, name) not in (None, False):
            raise _wrong(name, reason)


def _wrong(name: str, reason: str) -> typer.BadParameter:
    return typer.BadParameter(reason, param_hint="--" + name.replace("_", "-"))


def _tell(device: Device, profile: DeviceProfile, *, with_keys: bool, as_json: bool) -> None:
    """Generated keys are told at once: they have to go into the device."""
    keys = keys_of(device.activation, profile.mac_version) if with_keys else {}
    if as_json:
        document = device_document(device, profile)
        if with_keys:
            document["keys"] = {name: disclosed(key) for name, key in keys.items()}
        output.print_json(document)
        return
    how = "is personalized" if isinstance(device.activation, AbpActivation) else "joins"
    output.say(
        f"device {device.dev_eui} added: {how}, LoRaWAN {profile.mac_version}, {profile.region},"
        f" to destination {device.destination}"
    )
    if keys:
        output.properties({spelled(name): disclosed(key) for name, key in keys.items()})
