"""Making a passkey: the one way, for somebody with an account and for somebody who makes one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oidc_server.domain import mails, passkey_challenges, passkeys
from oidc_server.domain.audit import Event
from oidc_server.domain.mails import Notice
from oidc_server.domain.passkey_challenges import Ceremony
from oidc_server.languages import Words, translate
from oidc_server.people import browser_session
from oidc_server.people.mail_facts import browser_name, mail_facts
from oidc_server.people.passkey_proof import party_of
from oidc_server.security import passkeys as webauthn
from oidc_server.security.passkeys import NewPasskey, PasskeyError, Person
from oidc_server.web.context import Context

_PROVIDERS = {
    "08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
    "0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6": "Keeper",
    "50726f74-6f6e-5061-7373-50726f746f6e": "Proton Pass",
    "531126d6-e717-415c-9320-3d9aa6981239": "Dashlane",
    "53414d53-554e-4700-0000-000000000000": "Samsung Pass",
    "6028b017-b1d4-4c02-b4b3-afcdafc96bb2": "Windows Hello",
    "9ddd1817-af5a-4672-a2b9-3e3dd95000a9": "Windows Hello",
    "adce0002-35bc-c60a-648b-0b25f1f05503": "Chrome on macOS",
    "bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
    "d548826e-79b4-db40-a3d8-11116f7e8349": "Bitwarden",
    "dd4ec289-e01d-41c9-bb89-70fa845d4bf2": "iCloud Keychain",
    "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
    "fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "iCloud Keychain",
    "fdb141b2-5d84-443e-8a35-4698c205a502": "KeePassXC",
}
"""Who keeps passkeys, by the AAGUID that they give. It is good for a name and nothing else."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A passkey that was made, or why not. `user_handle` is that of the account to be made."""

    reason: str | None = None
    new: NewPasskey | None = None
    user_handle: bytes | None = None


def ask(ctx: Context, user_id: str, *, username: str, name: str) -> dict[str, Any]:
    """What the browser of somebody with an account is to make."""
    challenge = passkey_challenges.mint(
        ctx.db, Ceremony.ENROL, browser=ctx.browser, now=ctx.now, user_id=user_id
    )
    mine = passkeys.list_of_user(ctx.db, user_id)
    return webauthn.creation_options(
        party_of(ctx),
        Person(passkeys.handle_of(ctx.db, user_id), username, name),
        challenge,
        exclude=[passkey.credential_id for passkey in mine],
    )


def ask_for_sign_up(ctx: Context, *, username: str, name: str) -> dict[str, Any]:
    """What the browser of somebody without an account is to make: their one way in."""
    handle = passkeys.new_handle()
    challenge = passkey_challenges.mint(
        ctx.db, Ceremony.SIGN_UP, browser=ctx.browser, now=ctx.now, user_handle=handle
    )
    person = Person(handle, username, name)
    return webauthn.creation_options(party_of(ctx), person, challenge, alone=True)


def begin(
    ctx: Context, text: str, ceremony: Ceremony, *, user_id: str | None = None
) -> Callable[[], Enrolment] | Enrolment:
    """Use the challenge up; returns what verifies the passkey, or why there is none."""
    party = party_of(ctx)
    try:
        answer = webauthn.read(text)
    except PasskeyError:
        return Enrolment("malformed")
    challenge = passkey_challenges.redeem(
        ctx.db, answer.challenge, ceremony, browser=ctx.browser, now=ctx.now
    )
    if challenge is None or challenge.user_id != user_id:
        return Enrolment("challenge")

    def verify() -> Enrolment:
        try:
            new = webauthn.verify_creation(party, answer, alone=user_id is None)
        except PasskeyError:
            return Enrolment("invalid")
        return Enrolment(None, new, challenge.user_handle)

    return verify


def settle(ctx: Context, user_id: str, new: NewPasskey) -> str:
    """Add the passkey to an account and return its id.

    Raises `PasskeyTakenError`, `TooManyPasskeysError`.
    """
    browser_session.hold(ctx)
    name = translate(ctx.language, suggested_name(new, ctx.origin.user_agent))
    passkey_id = passkeys.enrol(ctx.db, user_id, new, name, ctx.now)
    ctx.record(Event.PASSKEY_ADDED, user_id=user_id, passkey_id=passkey_id, name=name)
    mails.notify(ctx.db, user_id, Notice.PASSKEY_ADDED, ctx.now, **mail_facts(ctx))
    return passkey_id


def amr(new: NewPasskey) -> frozenset[str]:
    """What was proven by making a passkey that has to know its person (RFC 8176 §2)."""
    return frozenset({"swk" if new.backup_eligible else "hwk", "user", "mfa"})


def suggested_name(new: NewPasskey, user_agent: str) -> str:
    """What a passkey is called until its person says otherwise: words of ours, for `translate`."""
    provider = _PROVIDERS.get(new.aaguid)
    if provider is not None:
        return provider
    if "internal" not in new.transports and new.transports & {"usb", "nfc", "ble"}:
        return Words("Security key")
    return browser_name(user_agent) or Words("Passkey")
