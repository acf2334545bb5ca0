"""Responses to connections without a request: no HTTP, too slow, or one too many."""

import math
from contextvars import copy_context

from oidc_server.web import observing
from oidc_server.web.errors.shapes import problem_details
from oidc_server.web.errors.types import type_of
from oidc_server.web.responses import Response
from oidc_server.web.runtime import Runtime


def turn_away(runtime: Runtime, status: int, detail: str) -> Response:
    """Problem details (RFC 9457) with a request id, which is logged."""
    # Connections share a context: the request id must not be kept for the next one.
    return copy_context().run(_turn_away, runtime, status, detail)


def _turn_away(runtime: Runtime, status: int, detail: str) -> Response:
    request = observing.begin({"headers": ()}, observing.UNKNOWN)
    answer = problem_details(runtime.issuer, type_of(status), detail, request.request_id)
    observing.end(request, "", status, slow_after=math.inf, error=answer.error)
    return answer.carrying(observing.headers(request))
