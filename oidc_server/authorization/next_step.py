"""What stands between a request and its authorization code: one pure decision."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from oidc_server.domain.authorization_requests import AuthorizationRequest
from oidc_server.domain.clients import Client
from oidc_server.domain.consents import Permission
from oidc_server.domain.factors.strength import included
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.oauth2.authlib import ConsentRequiredError, LoginRequiredError, OAuth2Error
from oidc_server.oauth2.errors import UnmetAuthenticationRequirementsError
from oidc_server.oauth2.vocabulary import ACR_VALUES, Prompt


class LoginReason(StrEnum):
    """Why the person is asked to sign in."""

    NOT_AUTHENTICATED = "not_authenticated"
    LOGIN_AGAIN = "login_again"
    OTHER_ACCOUNT = "other_account"


@dataclass(frozen=True)
class LogIn:
    """Show the login page."""

    reason: LoginReason


@dataclass(frozen=True)
class SignUp:
    """Show the page that makes an account."""


@dataclass(frozen=True)
class StepUp:
    """Ask for the factor that this session lacks."""


@dataclass(frozen=True)
class SelectAccount:
    """Ask whether to go on as the person who is signed in."""


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


Step = LogIn | SignUp | StepUp | SelectAccount | AskConsent | Issue | Refuse


def next_step(
    request: AuthorizationRequest,
    client: Client,
    session: LiveSession | None,
    consented: Permission,
    reachable: Collection[str] = (),
    *,
    owes_factor: bool = False,
) -> Step:
    """Decide. `consented` is what this person allowed this client earlier.

    `reachable` is every `acr` that this person can reach with the factors they hold; `owes_factor`
    says that the operator requires one which this session lacks.

    Pure, so that every row of the truth table is one line in a test.
    """
    silent = Prompt.NONE in request.prompt

    if request.insists_on_acr and request.wished_acr(ACR_VALUES) is None:
        return Refuse(UnmetAuthenticationRequirementsError("No sign-in here has this acr."))
    if session is None or _is_guess(request, client, consented):
        return _sign_in(request, LoginReason.NOT_AUTHENTICATED)
    if (missing := _sign_in_missing(request, session)) is not None:
        return _sign_in(request, missing)
    if request.expected_user_id not in (None, session.user_id):
        return Refuse(LoginRequiredError("Somebody else is signed in."))
    consent_missing = _consent_missing(request, client, session, consented)
    if silent and consent_missing:  # before a client learns which factors a stranger to it holds
        return Refuse(ConsentRequiredError("The person has not consented yet."))
    step = _factor_owed(request) if owes_factor else _acr_missing(request, session, reachable)
    if step is not None:
        return step
    if _selection_missing(request, session):
        return SelectAccount()
    return AskConsent() if consent_missing else Issue(session)


def _is_guess(request: AuthorizationRequest, client: Client, consented: Permission) -> bool:
    """Whether a client names a person that it was not told of: it must not learn that it is right.

    Only where nothing is shown to that person, who would see it.
    """
    told = client.metadata.skip_consent or bool(consented.scopes)
    return Prompt.NONE in request.prompt and request.expected_user_id is not None and not told


def _sign_in_missing(request: AuthorizationRequest, session: LiveSession) -> LoginReason | None:
    """Why this session does not do (Core §3.1.2.1), or None.

    Whoever signed in for this very request as somebody else is not asked once more.
    """
    if request.wants_fresh_login(session.auth_time):
        return LoginReason.LOGIN_AGAIN
    is_other = request.expected_user_id not in (None, session.user_id)
    if is_other and not request.was_login_for_this(session.auth_time):
        return LoginReason.OTHER_ACCOUNT
    return None


def _factor_owed(request: AuthorizationRequest) -> Step:
    if Prompt.NONE in request.prompt:
        return Refuse(LoginRequiredError("The person must prove more than they did."))
    return StepUp()


def _acr_missing(
    request: AuthorizationRequest, session: LiveSession, reachable: Collection[str]
) -> Step | None:
    """What follows from the `acr` that is asked for: nothing, if it is met or was only a wish."""
    met = included(session.acr)
    wish = request.wished_acr({*met, *reachable})
    if wish in met or (wish is None and not request.insists_on_acr):
        return None
    if wish is None:
        return Refuse(UnmetAuthenticationRequirementsError("This person cannot reach the acr."))
    if Prompt.NONE not in request.prompt or (
        request.insists_on_acr and request.wished_acr(met) is None
    ):
        return _factor_owed(request)
    return None


def _sign_in(request: AuthorizationRequest, reason: LoginReason) -> Step:
    if Prompt.NONE in request.prompt:
        return Refuse(LoginRequiredError("The person must sign in."))
    return SignUp() if Prompt.CREATE in request.prompt else LogIn(reason)


def _selection_missing(request: AuthorizationRequest, session: LiveSession) -> bool:
    if Prompt.SELECT_ACCOUNT not in request.prompt:
        return False
    selected = request.selected_by == session.user_id
    return not selected and not request.was_login_for_this(session.auth_time)


def _consent_missing(
    request: AuthorizationRequest, client: Client, session: LiveSession, consented: Permission
) -> bool:
    answered_now = request.consented_by == session.user_id
    if Prompt.CONSENT in request.prompt and not answered_now:
        return True
    if client.metadata.skip_consent:
        return False
    # Anyone can claim to be a native app, or a public client that registered itself: an earlier
    # consent says nothing (RFC 8252 §8.6).
    unproven = client.type == "native" or (client.self_registered and client.is_public)
    if unproven and not answered_now:
        return True
    return not consented.covers(Permission.asked_by(request))
