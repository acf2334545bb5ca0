"""The table from exceptions to problems."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from oidc_server.database import ConflictError, DatabaseUnavailableError
from oidc_server.domain.authorization_requests import RequestGoneError
from oidc_server.domain.base import DomainError
from oidc_server.domain.identities import IdentityTakenError
from oidc_server.domain.passkeys import PasskeyTakenError, TooManyPasskeysError
from oidc_server.domain.users import EmailTakenError, UsernameTakenError
from oidc_server.domain.ways_in import LastWayInError
from oidc_server.languages import Words
from oidc_server.oauth2.client_keys import NoEncryptionKeyError
from oidc_server.observability import current
from oidc_server.observability.logs import get_logger
from oidc_server.outbound.addresses import OutboundUnavailableError
from oidc_server.web.context import Context
from oidc_server.web.csrf import ForeignFormError, OtherOriginError
from oidc_server.web.errors.problem import (
    MethodNotAllowedError,
    NotFoundError,
    Problem,
    ProblemError,
    Shape,
)
from oidc_server.web.hosts import MisdirectedError
from oidc_server.web.incoming import BadRequestError
from oidc_server.web.load.gate import OverloadedError
from oidc_server.web.load.lanes import FetchingBusyError, HashingBusyError
from oidc_server.web.load.rate_limit import Quota, TooManyRequestsError
from oidc_server.web.responses import Response

_log = get_logger(__name__)


_START_AGAIN = Words("Go back to the app you came from and start again.")
_OPEN_PAGE = Words("Open the page")
_HOME = ("home", Words("Go to your account"))
_ACCOUNT = "account.overview"
_LOOK_IN_ACCOUNT = Words("Go to your account and look for it there.")
_TRY_AGAIN = (None, Words("Try again"))
_BUG = Problem(
    500,
    "server_error",
    Words("Something broke on our side"),
    Words("You did nothing wrong. The people who run this server can find out more."),
    Words("Try again, and send them the reference if it keeps happening."),
    way_on=_TRY_AGAIN,
)
_AWAY = Problem(
    503,
    "temporarily_unavailable",
    Words("We cannot do this right now"),
    Words("A part of this server is away. You did nothing wrong, and nothing was lost."),
    Words("Wait a moment and try again."),
    retry_after=2,
    way_on=_TRY_AGAIN,
)


def _busy(error: HashingBusyError) -> Problem:
    return Problem(
        503,
        "temporarily_unavailable",
        Words("The server is busy"),
        Words("Many people are signing in right now."),
        Words("Wait %(seconds)s seconds and try again.", seconds=error.retry_after),
        retry_after=error.retry_after,
        way_on=_TRY_AGAIN,
    )


def _service_away(error: FetchingBusyError | OutboundUnavailableError) -> Problem:
    seconds = math.ceil(error.retry_after)
    return Problem(
        503,
        "temporarily_unavailable",
        Words("We cannot do this right now"),
        Words("Something that the app publishes could not be fetched."),
        Words("Wait %(seconds)s seconds and try again.", seconds=seconds),
        retry_after=seconds,
        way_on=_TRY_AGAIN,
    )


def _too_many(error: TooManyRequestsError) -> Problem:
    return Problem(
        429,
        "temporarily_unavailable",
        Words("Too many attempts"),
        Words("There were many requests like this in a short time."),
        Words("Wait %(seconds)s seconds and try again.", seconds=error.retry_after),
        retry_after=error.retry_after,
        quota=error.quota,
        way_on=_TRY_AGAIN,
    )


def _wrong_method(error: MethodNotAllowedError) -> Problem:
    names = ", ".join(sorted(error.allowed))
    return Problem(
        405,
        "invalid_request",
        Words("This address cannot be used that way"),
        Words("It accepts %(names)s.", names=names),
        _START_AGAIN,
        allow=names,
        way_on=(None, _OPEN_PAGE) if error.of_button else None,
    )


_RULES: dict[type[DomainError], Words] = {
    UsernameTakenError: Words("This username is taken."),
    EmailTakenError: Words("This address belongs to another account."),
    IdentityTakenError: Words("Somebody else signs in with this account."),
    PasskeyTakenError: Words("This passkey is registered already."),
    TooManyPasskeysError: Words("This account has as many passkeys as one can have."),
    LastWayInError: Words("This is the only way into the account."),
}
"""Errors of the domain that pages can meet, in words that are translated."""


_PROBLEMS: tuple[tuple[type[Exception], Callable[[Any], Problem]], ...] = (
    (
        OtherOriginError,
        lambda error: Problem(
            403,
            "invalid_request",
            Words("The form came from another address"),
            Words("No page at %(issuer)s has sent it, so nothing was done.", issuer=error.origin),
            Words("Open the page there, and send the form from it."),
            way_on=(None, _OPEN_PAGE),
        ),
    ),
    (
        ForeignFormError,
        lambda _: Problem(
            403,
            "invalid_request",
            Words("This page has expired"),
            Words("The form was open for too long, or cookies are switched off in this browser."),
            Words("Go back, load the page again, and send it once more."),
            way_on=(None, Words("Load the page again")),
        ),
    ),
    (
        BadRequestError,
        lambda error: Problem(
            error.status,
            "invalid_request",
            Words("This request cannot be read"),
            error.message,
            _START_AGAIN,
        ),
    ),
    (
        NotFoundError,
        lambda _: Problem(
            404,
            "invalid_request",
            Words("There is nothing here"),
            Words("The address may be mistyped, or what was here has expired."),
            _START_AGAIN,
            way_on=_HOME,
        ),
    ),
    (ProblemError, ProblemError.told),
    (MethodNotAllowedError, _wrong_method),
    (TooManyRequestsError, _too_many),
    (OverloadedError, lambda error: replace(_AWAY, retry_after=error.retry_after)),
    (
        MisdirectedError,
        lambda _: Problem(
            421,
            "invalid_request",
            Words("This server goes by another name"),
            Words("The request was sent to a name that is not ours."),
            Words(
                "Use the address that you were given. Whoever runs this server can allow the name"
                " in OIDC_TRUSTED_HOSTS, or let the proxy hand on the name it is called by."
            ),
        ),
    ),
    (HashingBusyError, _busy),
    (FetchingBusyError, _service_away),
    (OutboundUnavailableError, _service_away),
    (DatabaseUnavailableError, lambda _: _AWAY),
    (ConflictError, lambda _: _AWAY),
    (
        RequestGoneError,
        lambda _: Problem(
            400,
            "invalid_request",
            Words("This sign-in is over"),
            Words(
                "It was finished already, was left open for too long, or began in another browser."
            ),
            Words("Go back to the app and sign in again from there."),
            way_on=_HOME,
        ),
    ),
    (
        NoEncryptionKeyError,
        lambda error: Problem(
            400,
            "invalid_request",
            Words("The app is not set up correctly"),
            str(error),
            Words("Tell the people who run the app."),
        ),
    ),
    (
        DomainError,
        lambda error: Problem(
            409,
            "invalid_request",
            Words("This cannot be done"),
            _RULES.get(type(error), str(error)),
            Words("Go back and try something else."),
        ),
    ),
)


def problem_of(error: Exception) -> Problem:
    """The problem of an exception. An unknown one is a bug, of which nothing is disclosed."""
    for kind, describe in _PROBLEMS:
        if isinstance(error, kind):
            return describe(error)
    return _BUG


def answer(ctx: Context, error: Exception, shape: Shape) -> Response:
    """Turn an exception into a response, and log it where the operator must know.

    Overload is counted, but not logged for each request: that would add to the load.
    """
    problem = problem_of(error)
    if isinstance(error, NotFoundError) and ctx.page.startswith(f"{ctx.path(_ACCOUNT)}/"):
        # No app leads to the pages of the console.
        problem = replace(problem, what_to_do=_LOOK_IN_ACCOUNT, way_on=(_ACCOUNT, _HOME[1]))
    facts = {"reference": ctx.reference, "route": _route(), "status": problem.status}
    if problem.status == 500:
        _log.error("request failed", exc_info=error, **facts)
    elif problem.status == 503 and not isinstance(error, OverloadedError | HashingBusyError):
        _log.warning("request could not be served", reason=str(error), **facts)
    response = shape(ctx, problem)
    if problem.retry_after is not None:
        response.with_header("retry-after", str(problem.retry_after))
    if problem.quota is not None:
        _tell_of_quota(response, problem.quota, problem.retry_after)
    if problem.allow is not None:
        response.with_header("allow", problem.allow)
    return response


def _tell_of_quota(response: Response, quota: Quota, seconds: int | None) -> None:
    """Which limit it was, as programs read it (draft-ietf-httpapi-ratelimit-headers §3, §4)."""
    name = quota.name.replace("_", "-")
    response.with_header("ratelimit-policy", f'"{name}";q={quota.per_minute};w=60')
    response.with_header("ratelimit", f'"{name}";r=0;t={seconds}')


def _route() -> str:
    """The route name for the log, since a path may hold a secret."""
    request = current.request()
    return request.route if request is not None else "none"
