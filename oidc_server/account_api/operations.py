"""The table of the operations on one's own account."""

from typing import Any

from oidc_server.account_api import access, joining, me, models
from oidc_server.account_api.proof import proven, proven_with_new_password
from oidc_server.api.access import EVERYBODY, oneself
from oidc_server.api.operations import Operation
from oidc_server.api.profile import Claims
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.errors import types
from oidc_server.web.load.rate_limit import MAILS

_V1 = "/api/v1"
_ME = f"{_V1}/me"
_CLIENT = "s6BhdRkqt3"
_EXAMPLE: dict[str, Any] = {
    **dict.fromkeys(Claims.model_fields),
    "id": "3f0e9c1a-6f54-4f5e-9c1b-2a7d8e0b4c55",
    "username": "ann",
    "email": "ann@example.com",
    "email_verified": True,
    "name": "Ann Lee",
    "phone_number": "+1 604 555 1234",
    "phone_number_verified": False,
    "address": {"locality": "Vancouver", "country": "Canada"},
    "has_password": True,
    "created_at": "2026-01-05T09:00:00Z",
    "updated_at": "2026-01-05T09:00:00Z",
}
_SESSION: dict[str, Any] = {
    "id": "8xLOxBtZp8N3tjTVCjNCqA",
    "current": True,
    "address": "192.0.2.7",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "amr": ["pwd"],
    "signed_in_at": "2026-01-05T09:00:00Z",
    "last_used_at": "2026-01-05T09:30:00Z",
    "expires_at": "2026-02-04T09:00:00Z",
}
_CONSENT: dict[str, Any] = {
    "client_id": _CLIENT,
    "client_name": "Ledger",
    "scopes": ["openid", "profile"],
    "resources": [],
    "remembered": True,
    "sign_ins": 1,
    "devices": 0,
    "since": "2026-01-05T09:00:00Z",
    "last_used_at": "2026-01-05T09:30:00Z",
}
_PROOF = {"current_password": "the passphrase of today"}
_SECOND_STEP = (
    " Who is asked for a second factor at each sign-in, or is to have one here, needs a token of a"
    " sign-in with it, at most fifteen minutes ago; for any other the answer is 401"
    " `insufficient_user_authentication`, with `acr_values` and `max_age` for the next"
    " authorization request (RFC 9470)."
)
_LINK = "1b2c7f9e-3a61-4a0d-9a55-0c1d2e3f4a5b.Z0VuZXJhdGVkLWZvci10aGlzLWV4YW1wbGUtb25seS4"
_READS: dict[str, Any] = {"method": "GET", "rule": oneself(ApiScope.ACCOUNT_READ)}
_WRITES: dict[str, Any] = {"rule": oneself(ApiScope.ACCOUNT_WRITE)}
_OPEN: dict[str, Any] = {"method": "POST", "rule": EVERYBODY, "limit": MAILS}

OPERATIONS = (
    Operation(
        path=f"{_V1}/users",
        name="account_api.sign_up",
        summary="Make an account",
        description="Where `OIDC_SIGN_UP` is `open`, or with an `invitation` where it is `invite`:"
        " one for an address proves that address, and is taken with no other. Else the address"
        " gets a mail to confirm it; whether it belongs to another account is told to nobody but"
        " its owner.",
        handler=joining.sign_up,
        before=joining.prepare_sign_up,
        body=models.SignUp,
        answer=models.Me,
        status=201,
        problems=(types.NOT_ALLOWED, types.CONFLICT),
        body_example={
            "username": "ann",
            "email": "ann@example.com",
            "password": "a passphrase that nobody else has",
            "name": "Ann Lee",
            "phone_number": "+1 604 555 1234",
        },
        answer_example={**_EXAMPLE, "email_verified": False},
        **_OPEN,
    ),
    Operation(
        path=_ME,
        name="account_api.me",
        summary="Read one's account",
        handler=me.read_me,
        answer=models.Me,
        answer_example=_EXAMPLE,
        **_READS,
    ),
    Operation(
        method="PATCH",
        path=_ME,
        name="account_api.change_me",
        summary="Change one's profile",
        description="The standard claims (OpenID Connect Core §5.1). null removes one, and what is"
        " not named stays. Another phone number is not verified.",
        handler=me.change_me,
        body=Claims,
        answer=models.Me,
        body_example={"name": "Ann Lee", "locale": "en-CA", "zoneinfo": "America/Vancouver"},
        answer_example=_EXAMPLE,
        **_WRITES,
    ),
    Operation(
        method="DELETE",
        path=_ME,
        name="account_api.delete_me",
        summary="Delete one's account",
        description="It is shut at once, with every token, and deleted at `deletes_at`; signing in"
        f" before that keeps it. The last administrator stays.{_SECOND_STEP}",
        handler=me.delete_me,
        before=proven(ApiScope.ACCOUNT_WRITE),
        body=models.Proven,
        answer=models.Deletion,
        problems=(types.CONFLICT,),
        body_example=_PROOF,
        answer_example={"deletes_at": "2026-01-19T09:00:00Z"},
        **_WRITES,
    ),
    Operation(
        method="PUT",
        path=f"{_ME}/password",
        name="account_api.change_password",
        summary="Choose another password",
        description="Other sessions end, with the tokens that depend on them. A mail says so."
        f"{_SECOND_STEP}",
        handler=me.change_password,
        before=proven_with_new_password(ApiScope.ACCOUNT_WRITE),
        body=models.NewPasswordOfMine,
        status=204,
        body_example={**_PROOF, "password": "a passphrase that nobody else has"},
        **_WRITES,
    ),
    Operation(
        method="PUT",
        path=f"{_ME}/email",
        name="account_api.change_email",
        summary="Ask for another address",
        description="A mail goes to it, with a link and a code; until one of them is used, nothing"
        f" changes. Then the old address hears of it, and can undo it for some days.{_SECOND_STEP}",
        handler=me.change_email,
        before=proven(ApiScope.ACCOUNT_WRITE),
        body=models.NewEmailOfMine,
        status=202,
        body_example={**_PROOF, "email": "ann.lee@example.com"},
        **{**_WRITES, "limit": MAILS},
    ),
    Operation(
        path=f"{_ME}/sessions",
        name="account_api.sessions",
        summary="List one's sessions",
        description="The browsers that are signed in, the one used last first.",
        handler=access.list_sessions,
        answer=models.Sessions,
        answer_example={"sessions": [_SESSION]},
        **_READS,
    ),
    Operation(
        method="DELETE",
        path=f"{_ME}/sessions",
        name="account_api.end_other_sessions",
        summary="End all other sessions",
        description="All but the one that the access token came of.",
        handler=access.end_other_sessions,
        status=204,
        **_WRITES,
    ),
    Operation(
        method="DELETE",
        path=f"{_ME}/sessions/{{session_id}}",
        name="account_api.end_session",
        summary="End a session",
        handler=access.end_session,
        status=204,
        **_WRITES,
    ),
    Operation(
        path=f"{_ME}/consents",
        name="account_api.consents",
        summary="List what clients may do",
        description="Each client that was allowed something or holds something, connected devices"
        " too.",
        handler=access.list_consents,
        answer=models.Consents,
        answer_example={"consents": [_CONSENT]},
        **_READS,
    ),
    Operation(
        method="DELETE",
        path=f"{_ME}/consents",
        name="account_api.withdraw_all_consents",
        summary="Withdraw everything from every client",
        description="Also from the one that asks: every token of every client is dead, this access"
        " token too. Sessions of browsers go on.",
        handler=access.withdraw_all_consents,
        status=204,
        **_WRITES,
    ),
    Operation(
        path=f"{_ME}/consents/{{client_id}}",
        name="account_api.consent",
        summary="Read what a client may do",
        handler=access.read_consent,
        answer=models.Consent,
        answer_example=_CONSENT,
        **_READS,
    ),
    Operation(
        method="DELETE",
        path=f"{_ME}/consents/{{client_id}}",
        name="account_api.withdraw_consent",
        summary="Withdraw everything from a client",
        description="What it was allowed is forgotten, and every token of it is dead.",
        handler=access.withdraw_consent,
        status=204,
        **_WRITES,
    ),
    Operation(
        path=f"{_V1}/password-reset",
        name="account_api.ask_for_password",
        summary="Ask for a link to choose a password",
        description="The answer is the same whether there is such an account or not. A mail goes to"
        " a verified address only.",
        handler=joining.ask_for_password,
        body=models.Reset,
        status=202,
        body_example={"username": "ann"},
        **_OPEN,
    ),
    Operation(
        path=f"{_V1}/password-reset/confirm",
        name="account_api.choose_password",
        summary="Choose a password with a mailed link",
        description="The link works once. Every session ends, and nobody is signed in by it.",
        handler=joining.choose_password,
        before=joining.prepare_password,
        body=models.ChosenByLink,
        status=204,
        body_example={"link": _LINK, "password": "a passphrase that nobody else has"},
        **_OPEN,
    ),
    Operation(
        method="POST",
        path=f"{_V1}/email-verification",
        name="account_api.ask_to_verify",
        summary="Have one's address confirmed",
        description="A mail with a link and a code goes to it, unless it is confirmed.",
        handler=joining.ask_to_verify,
        status=202,
        **{**_WRITES, "limit": MAILS},
    ),
    Operation(
        method="POST",
        path=f"{_V1}/email-verification/confirm",
        name="account_api.confirm_email",
        summary="Confirm an address",
        description="With the link of a mail, or with its code. Either works for the account that"
        " asked for the mail, and for no other. Also for an address that was asked for instead of"
        " the present one.",
        handler=joining.confirm,
        body=models.Confirmation,
        status=204,
        body_example={"link": _LINK},
        **{**_WRITES, "limit": MAILS},
    ),
)
