"""What stands between a request and its authorization code: one pure decision."""

from dataclasses import dataclass
from enum import StrEnum

from oidc_server.domain.authorization_requests import AuthorizationRequest
from oidc_server.domain.clients import Client
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.oauth2.authlib import ConsentRequiredError, LoginRequiredError, OAuth2Error
from oidc_server.oauth2.vocabulary import Prompt


class LoginReason(StrEnum):
    """Why the person is asked to sign in."""

    NOT_AUTHENTICATED = "not_authenticated"
    LOGIN_AGAIN = "login_again"


@dataclass(frozen=True)
class LogIn:
    """Show the login page."""

    reason: LoginReason


@dataclass(frozen=True)
class AskConsent:
    """Show the consent page."""


@dataclass(frozen=True)
class Issue:
    """Nothing is missing: answer with a code."""

    session: LiveSession


@dataclass(frozen=True)
class Refuse:
    """Answer with an error."""

    error: OAuth2Error


Step = LogIn | AskConsent | Issue | Refuse


def next_step(
    request: AuthorizationRequest,
    client: Client,
    session: LiveSession | None,
    consented: frozenset[str],
) -> Step:
    """Decide. `consented` is what this person allowed this client earlier.

    Pure, so that every row of the truth table is one line in a test.
    """
    silent = Prompt.NONE in request.prompt

    if session is None:
        return _refuse_login() if silent else LogIn(LoginReason.NOT_AUTHENTICATED)
    if request.wants_fresh_login(session.auth_time):
        return _refuse_login() if silent else LogIn(LoginReason.LOGIN_AGAIN)
    if _consent_missing(request, client, session, consented):
        return (
            Refuse(ConsentRequiredError("The person has not consented yet."))
            if silent
            else AskConsent()
        )
    return Issue(session)


def _consent_missing(
    request: AuthorizationRequest, client: Client, session: LiveSession, consented: frozenset[str]
) -> bool:
    answered_now = request.consented_by == session.user_id
    if Prompt.CONSENT in request.prompt and not answered_now:
        return True
    if client.metadata.skip_consent:
        return False
    # Anyone can claim to be a native app, so an earlier consent says nothing (RFC 8252 §8.6).
    if client.type == "native" and not answered_now:
        return True
    return not request.scopes <= consented


def _refuse_login() -> Refuse:
    return Refuse(LoginRequiredError("The person must sign in."))
