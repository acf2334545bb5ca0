"""The one decision between a request and its code, row by row."""

from datetime import UTC, datetime, timedelta

import pytest

from oidc_server.authorization.next_step import (
    AskConsent,
    Issue,
    LogIn,
    LoginReason,
    Refuse,
    Step,
    next_step,
)
from oidc_server.domain.authorization_requests import AuthorizationRequest
from oidc_server.domain.client_metadata import ClientMetadata, ClientType
from oidc_server.domain.clients import Client
from oidc_server.domain.user_sessions import LiveSession

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OLD, LATER = -10, 1  # seconds between the request and the last sign-in
NOBODY = None
ALL = "openid email"


def a_request(
    prompt: str = "", max_age: int | None = None, consented_by: str | None = None
) -> AuthorizationRequest:
    return AuthorizationRequest(
        client_id="client",
        redirect_uri="https://app.example.net/callback",
        scopes=frozenset(ALL.split()),
        created_at=NOW,
        prompt=frozenset(prompt.split()),
        max_age=max_age,
        consented_by=consented_by,
    )


def a_client(client_type: ClientType = "web", *, skip_consent: bool = False) -> Client:
    metadata = ClientMetadata(client_name="Ledger", skip_consent=skip_consent)
    return Client("client", 1, client_type, metadata, (), NOW, None, None)


def a_session(seconds: int) -> LiveSession:
    at = NOW + timedelta(seconds=seconds)
    return LiveSession(
        "id", "sid", "ada", "ada", None, frozenset({"pwd"}), None, at, at, NOW + timedelta(days=1)
    )


ASK = a_request()
NONE = a_request("none")
LOGIN, CONSENT, BOTH = a_request("login"), a_request("consent"), a_request("login consent")
YES = a_request("consent", consented_by="ada")
YES_OF_BOB = a_request("consent", consented_by="bob")
WEB, TRUSTED = a_client(), a_client(skip_consent=True)
NATIVE, TRUSTED_NATIVE = a_client("native"), a_client("native", skip_consent=True)

TABLE = [
    # request, client, signed in, allowed before, what comes next
    (ASK, WEB, NOBODY, "", "log in: not_authenticated"),
    (ASK, WEB, NOBODY, ALL, "log in: not_authenticated"),
    (ASK, TRUSTED, NOBODY, ALL, "log in: not_authenticated"),
    (ASK, WEB, OLD, "", "ask consent"),
    (ASK, WEB, OLD, "openid", "ask consent"),
    (ASK, WEB, OLD, ALL, "issue"),
    (ASK, WEB, OLD, f"{ALL} profile", "issue"),
    (ASK, TRUSTED, OLD, "", "issue"),
    (ASK, NATIVE, OLD, ALL, "ask consent"),
    (ASK, TRUSTED_NATIVE, OLD, "", "issue"),
    (a_request(consented_by="ada"), NATIVE, OLD, ALL, "issue"),
    (a_request(consented_by="bob"), NATIVE, OLD, ALL, "ask consent"),
    (NONE, WEB, NOBODY, "", "refuse: login_required"),
    (NONE, WEB, OLD, "", "refuse: consent_required"),
    (NONE, WEB, OLD, ALL, "issue"),
    (NONE, TRUSTED, OLD, "", "issue"),
    (NONE, NATIVE, OLD, ALL, "refuse: consent_required"),
    (LOGIN, WEB, NOBODY, ALL, "log in: not_authenticated"),
    (LOGIN, WEB, OLD, ALL, "log in: login_again"),
    (LOGIN, TRUSTED, OLD, ALL, "log in: login_again"),
    (LOGIN, WEB, LATER, ALL, "issue"),
    (LOGIN, WEB, LATER, "", "ask consent"),
    (a_request("select_account"), WEB, OLD, ALL, "log in: login_again"),
    (a_request("select_account"), WEB, LATER, ALL, "issue"),
    (CONSENT, WEB, OLD, ALL, "ask consent"),
    (CONSENT, TRUSTED, OLD, ALL, "ask consent"),
    (YES, WEB, OLD, ALL, "issue"),
    (YES, TRUSTED, OLD, "", "issue"),
    (YES_OF_BOB, WEB, OLD, ALL, "ask consent"),
    (BOTH, WEB, OLD, ALL, "log in: login_again"),
    (BOTH, WEB, LATER, ALL, "ask consent"),
    (a_request(max_age=9), WEB, OLD, ALL, "log in: login_again"),
    (a_request(max_age=10), WEB, OLD, ALL, "issue"),
    (a_request(max_age=0), WEB, OLD, ALL, "log in: login_again"),
    (a_request(max_age=0), WEB, LATER, ALL, "issue"),
    (a_request("none", max_age=9), WEB, OLD, ALL, "refuse: login_required"),
    (a_request("none", max_age=10), WEB, OLD, ALL, "issue"),
]


def described(step: Step) -> str:
    match step:
        case LogIn(reason):
            return f"log in: {reason.value}"
        case AskConsent():
            return "ask consent"
        case Issue():
            return "issue"
        case Refuse(error):
            return f"refuse: {error.error}"


@pytest.mark.parametrize(("request_", "client", "signed_in", "allowed", "expected"), TABLE)
def test_what_comes_next(
    request_: AuthorizationRequest,
    client: Client,
    signed_in: int | None,
    allowed: str,
    expected: str,
) -> None:
    session = None if signed_in is None else a_session(signed_in)

    step = next_step(request_, client, session, frozenset(allowed.split()))

    assert described(step) == expected
    assert not isinstance(step, Issue) or step.session is session


def test_the_table_reaches_every_reason() -> None:
    seen = {expected.partition(": ")[2] for *_, expected in TABLE} - {""}

    assert seen == {"login_required", "consent_required", *(reason.value for reason in LoginReason)}
