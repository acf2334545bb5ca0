"""Proving a passkey: the one way, shared by every door that takes one.

As with passwords: `begin` uses the challenge up and finds the passkey (a transaction of its own,
committed), then the signature is verified outside of any, then `settle` in that of the handler.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from oidc_server.domain import attempts, passkey_challenges, passkeys
from oidc_server.domain.audit import Event
from oidc_server.domain.passkey_challenges import Ceremony
from oidc_server.domain.passkeys import Passkey
from oidc_server.security import passkeys as webauthn
from oidc_server.security.passkeys import (
    Answer,
    Assertion,
    PasskeyError,
    RelyingParty,
    UserVerification,
)
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class PasskeyProof:
    """What came of a passkey. `reason` is for the audit log, and chooses the words of the page."""

    reason: str | None = None
    answer: Answer | None = None
    passkey: Passkey | None = None
    assertion: Assertion | None = None

    @property
    def user_id(self) -> str | None:
        return self.passkey.user_id if self.passkey else None

    @property
    def holds(self) -> bool:
        return self.reason is None and self.assertion is not None

    @property
    def amr(self) -> frozenset[str]:
        """The methods of this proof (RFC 8176 §2): two factors only if it verified its person."""
        if self.passkey is None or self.assertion is None:
            return frozenset()
        both = {"mfa"} if self.assertion.user_verified else set[str]()
        return frozenset({self.passkey.amr, "user", *both})


def party_of(ctx: Context) -> RelyingParty:
    """Who asks; raises `NotFoundError` where there are no passkeys."""
    settings = ctx.runtime.settings
    party = webauthn.relying_party(ctx.runtime.issuer, settings.brand_name)
    if party is None:
        raise NotFoundError
    return party


def are_possible(ctx: Context) -> bool:
    """Whether browsers can have passkeys for this issuer."""
    return webauthn.relying_party(ctx.runtime.issuer, "") is not None


def ask(ctx: Context, ceremony: Ceremony, *, user_id: str | None = None) -> dict[str, Any]:
    """What the browser is to ask for: any passkey of ours, or one of this person."""
    party = party_of(ctx)
    challenge = passkey_challenges.mint(
        ctx.db, ceremony, browser=ctx.browser, now=ctx.now, user_id=user_id
    )
    allow: Iterable[bytes] = ()
    if user_id is not None:
        allow = [one.credential_id for one in passkeys.list_of_user(ctx.db, user_id)]
    return webauthn.request_options(
        party, challenge, allow=allow, user_verification=_verification(user_id)
    )


def begin(
    ctx: Context, text: str, ceremony: Ceremony, *, user_id: str | None = None
) -> Callable[[], PasskeyProof] | PasskeyProof:
    """Use the challenge up, find the passkey; returns the computation, or the proof without one.

    `user_id` is whose passkey it must be; without it the passkey says who is there, and then it has
    to know its person.
    """
    party = party_of(ctx)
    try:
        answer = webauthn.read(text)
    except PasskeyError:
        return PasskeyProof("malformed")
    challenge = passkey_challenges.redeem(
        ctx.db, answer.challenge, ceremony, browser=ctx.browser, now=ctx.now
    )
    if challenge is None or challenge.user_id != user_id:
        return PasskeyProof("challenge", answer)
    passkey = passkeys.find_presented(ctx.db, answer.credential_id, answer.user_handle)
    if passkey is None or user_id not in (None, passkey.user_id):
        return PasskeyProof("unknown", answer)
    public_key, verification = passkey.public_key, _verification(user_id)

    def prove() -> PasskeyProof:
        try:
            assertion = webauthn.verify_assertion(
                party, answer, public_key, user_verification=verification
            )
        except PasskeyError:
            return PasskeyProof("invalid", answer, passkey)
        return PasskeyProof(None, answer, passkey, assertion)

    return prove


def settle(ctx: Context, proof: PasskeyProof) -> PasskeyProof:
    """Act on a proof, in the transaction that lets the person in; returns what it is worth now."""
    if not proof.holds or proof.passkey is None or proof.assertion is None:
        return proof
    passkey = proof.passkey
    refused = passkeys.use(ctx.db, passkey, proof.assertion, ctx.now)
    if refused == "sign_count":
        ctx.record(Event.PASSKEY_COPIED, user_id=passkey.user_id, passkey_id=passkey.id)
    if refused is None:
        attempts.forgive(ctx.db, passkey.user_id, ctx.now)
    return replace(proof, reason=refused)


def _verification(user_id: str | None) -> UserVerification:
    return "required" if user_id is None else "preferred"
