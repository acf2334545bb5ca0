"""Answers to what never became a request: it is no HTTP, is too slow, or one too many."""

import math
from contextvars import copy_context

from oidc_server.web import observing
from oidc_server.web.errors.shapes import problem_details
from oidc_server.web.errors.types import type_of
from oidc_server.web.responses import Response
from oidc_server.web.runtime import Runtime


def turn_away(runtime: Runtime, status: int, detail: str) -> Response:
    """Problem details, as nobody can tell what would be understood; it is in the log by its id."""
    # Connections share a context: what is said of this one must not be said of the next.
    return copy_context().run(_turn_away, runtime, status, detail)


def _turn_away(runtime: Runtime, status: int, detail: str) -> Response:
    request = observing.begin({"headers": ()}, observing.UNKNOWN)
    answer = problem_details(runtime.issuer, type_of(status), detail, request.request_id)
    observing.end(request, "", status, slow_after=math.inf)
    return answer.carrying(observing.headers(request))
