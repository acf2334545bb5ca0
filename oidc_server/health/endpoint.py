"""/health: 200 and up, or 503 and down."""

from oidc_server.database import Access
from oidc_server.health.checks import examine
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.endpoint import Endpoint, Handler, Method
from oidc_server.web.errors import Problem
from oidc_server.web.responses import Response


def live(_ctx: Context) -> Response:
    """The process answers. It says nothing of the database: a restart would not mend that."""
    return _state(is_up=True)


def ready(ctx: Context) -> Response:
    """Everything that requests need is there, and the process is not about to end."""
    lifecycle = ctx.runtime.lifecycle
    is_up = not lifecycle.is_draining and all(check.ok for check in examine(ctx.db, ctx.runtime))
    lifecycle.was_ready = lifecycle.was_ready or is_up
    return _state(is_up=is_up)


def startup(ctx: Context) -> Response:
    """Everything was there once: what is missing now, a restart would not bring back."""
    return _state(is_up=True) if ctx.runtime.lifecycle.was_ready else ready(ctx)


def probe(handler: Handler, *, access: Access | None) -> Endpoint:
    """An address for load balancers: never limited, and with an answer of its own for errors."""
    return Endpoint({"GET": Method(handler, access)}, shape=_as_state, always=True)


def _as_state(_ctx: Context, problem: Problem) -> Response:
    """Whatever goes wrong, the node is down."""
    return _state(is_up=False, status=503 if problem.status >= 500 else problem.status)


def _state(*, is_up: bool, status: int = 503) -> Response:
    return responses.json({"status": "up" if is_up else "down"}, status=200 if is_up else status)
