"""How an error is written: as a page, as an OAuth error, as problem details."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from oidc_server.languages import translate
from oidc_server.oauth2.errors import as_description
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.errors.problem import Problem
from oidc_server.web.errors.types import ProblemType, type_of
from oidc_server.web.responses import Response


def as_page(ctx: Context, problem: Problem) -> Response:
    """An error page, for people."""
    page = ctx.render(
        "errors/error.html",
        status=problem.status,
        title=translate(ctx.language, problem.title),
        explanation=translate(ctx.language, problem.explanation),
        what_to_do=translate(ctx.language, problem.what_to_do),
        reference=ctx.reference,
        time=ctx.now,
        client=None,
        details=[],
        way_on=problem.way_on and _button(ctx, *problem.way_on),
    )
    return page.refusing(problem.error)


def _button(ctx: Context, route: str | None, words: str) -> tuple[str, str]:
    """Where it leads, the page itself by the name of the issuer whatever we were called by."""
    address = ctx.path(route) if route is not None else ctx.runtime.issuer + ctx.whole_page
    return address, translate(ctx.language, words)


def as_oauth(ctx: Context, problem: Problem) -> Response:
    """An OAuth error (RFC 6749 §5.2)."""
    return oauth_error(problem.error, problem.explanation, problem.status, ctx.reference)


def as_problem(ctx: Context, problem: Problem) -> Response:
    """Problem details (RFC 9457) of a request."""
    kind = problem.type or type_of(problem.status)
    issuer, reference = ctx.runtime.issuer, ctx.reference
    return problem_details(issuer, kind, problem.explanation, reference, problem.members)


def problem_details(
    issuer: str,
    kind: ProblemType,
    detail: str,
    reference: str,
    members: Mapping[str, Any] = MappingProxyType({}),
) -> Response:
    """Problem details (RFC 9457): `instance` is the page of the type, at this very occurrence."""
    address = f"{issuer}{kind.path}"
    body: dict[str, Any] = {
        "type": address,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": f"{address}#{reference}",
        "reference": reference,
        **members,
    }
    answer = responses.json(body, status=kind.status, media_type="application/problem+json")
    return answer.refusing(kind.name)


def oauth_error(error: str, description: str, status: int, reference: str) -> Response:
    """The JSON body of RFC 6749 §5.2, with the reference that the log knows."""
    body = {
        "error": error,
        "error_description": as_description(description),
        "reference": reference,
    }
    return responses.json(body, status=status).refusing(error)
