"""The addresses of the gateway's questions, and of the way back from the sign-in."""

from starlette.routing import Route

from oidc_server.forward_auth import endpoint, way_back
from oidc_server.web.kinds import machine, page
from oidc_server.web.load.rate_limit import PASSAGES

ROUTES = [
    Route(
        "/forward-auth",
        machine(
            endpoint.decide,
            methods=("GET",),
            access=endpoint.access,
            failures=endpoint.failures,
        ),
        name="forward_auth.decide",
    ),
    Route(
        "/forward-auth/request/{address:path}",
        machine(
            endpoint.decide_in_its_place,
            methods=endpoint.METHODS,
            access=endpoint.access,
            failures=endpoint.failures,
        ),
        name="forward_auth.decide_in_its_place",
    ),
    Route(
        "/forward-auth/back/{address}",
        page(way_back.go_back, limit=PASSAGES),
        name="forward_auth.back",
    ),
]
"""A part of the route table."""
