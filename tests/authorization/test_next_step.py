"""The one decision between a request and its code, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oidc_server.authorization.next_step import (
    AskConsent,
    Issue,
    LogIn,
    LoginReason,
    Refuse,
    SelectAccount,
    SignUp,
    Step,
    StepUp,
    next_step,
)
from oidc_server.domain.authorization_requests import AuthorizationRequest
from oidc_server.domain.client_metadata import ClientMetadata, ClientType
from oidc_server.domain.clients import Client
from oidc_server.domain.consents import Permission
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.oauth2.vocabulary import ACR_VALUES, PASSWORD_ACR, TWO_FACTOR_ACR

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OLD, LATER = -10, 1  # seconds between the request and the last sign-in
NOBODY = None
UNMET = "refuse: unmet_authentication_requirements"
ALL = "openid email"


def a_request(
    prompt: str = "", max_age: int | None = None, consented_by: str | None = None, **more: Any
) -> AuthorizationRequest:
    return AuthorizationRequest(
        client_id="client",
        redirect_uri="https://app.example.net/callback",
        scopes=frozenset(ALL.split()),
        created_at=NOW,
        prompt=frozenset(prompt.split()),
        max_age=max_age,
        consented_by=consented_by,
        **more,
    )


def acr(*values: str, essential: bool = True) -> dict[str, Any]:
    return {"id_token": {"acr": {"essential": essential, "values": list(values)}}}


def a_client(client_type: ClientType = "web", *, skip_consent: bool = False) -> Client:
    metadata = ClientMetadata(client_name="Ledger", skip_consent=skip_consent)
    return Client("client", 1, client_type, metadata, (), NOW, None, None)


def permitted(text: str) -> Permission:
    """Scopes, and behind a colon resources."""
    scopes, _, resources = text.partition(": ")
    return Permission(frozenset(scopes.split()), frozenset(resources.split()))


def a_session(seconds: int) -> LiveSession:
    at = NOW + timedelta(seconds=seconds)
    return LiveSession(
        *("id", "sid", "ada", "ada", None, None, frozenset({"pwd"}), PASSWORD_ACR),
        *(at, at, NOW + timedelta(days=1)),
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
    (a_request(resources=("a:b",)), WEB, OLD, ALL, "ask consent"),
    (a_request(resources=("a:b",)), WEB, OLD, f"{ALL}: a:b", "issue"),
    (a_request(resources=("a:b", "a:c")), WEB, OLD, f"{ALL}: a:b", "ask consent"),
    (a_request(claims={"userinfo": {"name": None}}), WEB, OLD, ALL, "ask consent"),
    (a_request(claims={"userinfo": {"name": None}}), WEB, OLD, f"{ALL} profile", "issue"),
    (a_request(claims={"id_token": {"email": None}}), WEB, OLD, ALL, "issue"),
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
    (a_request("select_account"), WEB, NOBODY, ALL, "log in: not_authenticated"),
    (a_request("select_account"), WEB, OLD, ALL, "select account"),
    (a_request("select_account", selected_by="ada"), WEB, OLD, ALL, "issue"),
    (a_request("select_account", selected_by="bob"), WEB, OLD, ALL, "select account"),
    (a_request("select_account"), WEB, LATER, ALL, "issue"),
    (a_request("select_account login"), WEB, OLD, ALL, "log in: login_again"),
    (a_request("create"), WEB, NOBODY, ALL, "sign up"),
    (a_request("create"), WEB, OLD, ALL, "sign up"),
    (a_request("create"), WEB, LATER, ALL, "issue"),
    (a_request(expected_user_id="ada"), WEB, OLD, ALL, "issue"),
    (a_request(expected_user_id="bob"), WEB, NOBODY, ALL, "log in: not_authenticated"),
    (a_request(expected_user_id="bob"), WEB, OLD, ALL, "log in: other_account"),
    (a_request(expected_user_id="bob"), WEB, LATER, ALL, "refuse: login_required"),
    (a_request("none", expected_user_id="bob"), WEB, OLD, ALL, "refuse: login_required"),
    (a_request("none", expected_user_id="ada"), WEB, OLD, ALL, "issue"),
    (a_request("none", expected_user_id="ada"), WEB, OLD, "", "refuse: login_required"),
    (a_request("none", expected_user_id="ada"), WEB, OLD, "openid", "refuse: consent_required"),
    (a_request("none", expected_user_id="ada"), TRUSTED, OLD, "", "issue"),
    (a_request(expected_user_id="ada"), WEB, OLD, "", "ask consent"),
    (a_request(claims=acr("urn:gold", PASSWORD_ACR)), WEB, OLD, ALL, "issue"),
    (a_request(claims=acr("urn:gold", essential=False)), WEB, OLD, ALL, "issue"),
    (a_request(claims=acr("urn:gold")), WEB, OLD, ALL, UNMET),
    (a_request(claims=acr("urn:gold")), WEB, NOBODY, ALL, UNMET),
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
        case SignUp():
            return "sign up"
        case StepUp():
            return "step up"
        case SelectAccount():
            return "select account"
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

    step = next_step(request_, client, session, permitted(allowed))

    assert described(step) == expected
    assert not isinstance(step, Issue) or step.session is session


def test_the_table_reaches_every_reason() -> None:
    seen = {expected.partition(": ")[2] for *_, expected in TABLE} - {""}

    refusals = {"login_required", "consent_required", UNMET.partition(": ")[2]}
    assert seen == {*refusals, *(reason.value for reason in LoginReason)}


BOTH_ACRS = f"{TWO_FACTOR_ACR} {PASSWORD_ACR}"
ACR_TABLE = [
    # acr_values, insisted on, prompt, reached, can be reached; what comes next
    ("", False, "", PASSWORD_ACR, PASSWORD_ACR, "issue"),
    (TWO_FACTOR_ACR, False, "", PASSWORD_ACR, PASSWORD_ACR, "issue"),
    (TWO_FACTOR_ACR, False, "", PASSWORD_ACR, TWO_FACTOR_ACR, "step up"),
    (TWO_FACTOR_ACR, False, "", TWO_FACTOR_ACR, TWO_FACTOR_ACR, "issue"),
    (TWO_FACTOR_ACR, False, "none", PASSWORD_ACR, TWO_FACTOR_ACR, "issue"),
    (BOTH_ACRS, False, "", PASSWORD_ACR, TWO_FACTOR_ACR, "step up"),
    (f"{PASSWORD_ACR} {TWO_FACTOR_ACR}", False, "", PASSWORD_ACR, TWO_FACTOR_ACR, "issue"),
    (PASSWORD_ACR, False, "", TWO_FACTOR_ACR, TWO_FACTOR_ACR, "issue"),
    (PASSWORD_ACR, True, "", TWO_FACTOR_ACR, TWO_FACTOR_ACR, "issue"),
    (TWO_FACTOR_ACR, True, "", PASSWORD_ACR, PASSWORD_ACR, UNMET),
    (TWO_FACTOR_ACR, True, "none", PASSWORD_ACR, PASSWORD_ACR, UNMET),
    (TWO_FACTOR_ACR, True, "", PASSWORD_ACR, TWO_FACTOR_ACR, "step up"),
    (TWO_FACTOR_ACR, True, "none", PASSWORD_ACR, TWO_FACTOR_ACR, "refuse: login_required"),
    (TWO_FACTOR_ACR, True, "", TWO_FACTOR_ACR, TWO_FACTOR_ACR, "issue"),
    (f"urn:gold {TWO_FACTOR_ACR}", True, "", PASSWORD_ACR, TWO_FACTOR_ACR, "step up"),
    (BOTH_ACRS, True, "", PASSWORD_ACR, PASSWORD_ACR, "issue"),
    (BOTH_ACRS, True, "none", PASSWORD_ACR, TWO_FACTOR_ACR, "issue"),
    (TWO_FACTOR_ACR, True, "login", PASSWORD_ACR, TWO_FACTOR_ACR, "log in: login_again"),
]


@pytest.mark.parametrize(
    ("asked", "essential", "prompt", "reached", "reachable", "expected"), ACR_TABLE
)
def test_what_an_acr_leads_to(
    asked: str, essential: bool, prompt: str, reached: str, reachable: str, expected: str
) -> None:
    wish: dict[str, Any] = (
        {"claims": acr(*asked.split())} if essential else {"acr_values": tuple(asked.split())}
    )
    can = ACR_VALUES[: ACR_VALUES.index(reachable) + 1]
    session = replace(a_session(OLD), acr=reached)

    step = next_step(a_request(prompt, **wish), WEB, session, permitted(ALL), can)

    assert described(step) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [("", "step up"), ("none", "refuse: login_required"), ("login", "log in: login_again")],
)
def test_what_a_factor_that_is_owed_leads_to(prompt: str, expected: str) -> None:
    step = next_step(
        a_request(prompt), WEB, a_session(OLD), permitted(ALL), ACR_VALUES[:1], owes_factor=True
    )

    assert described(step) == expected


@pytest.mark.parametrize("reachable", [PASSWORD_ACR, TWO_FACTOR_ACR])
@pytest.mark.parametrize("owes_factor", [False, True])
def test_a_silent_client_without_consent_does_not_learn_which_factors_somebody_holds(
    reachable: str, owes_factor: bool
) -> None:
    request = a_request("none", claims=acr(TWO_FACTOR_ACR))
    can = ACR_VALUES[: ACR_VALUES.index(reachable) + 1]

    step = next_step(request, WEB, a_session(OLD), permitted(""), can, owes_factor=owes_factor)

    assert described(step) == "refuse: consent_required"
