"""/problems/{name}: the page that the `type` of a problem leads to."""

from oidc_server.languages import translate
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.errors.types import PROBLEM_TYPES
from oidc_server.web.responses import Response

_BY_NAME = {kind.name: kind for kind in PROBLEM_TYPES}


def show_problem(ctx: Context) -> Response:
    """What a type means, and what to do about it; the reference is in the fragment, unsent."""
    kind = _BY_NAME.get(ctx.incoming.path_params["name"])
    if kind is None:
        raise NotFoundError

    return ctx.render(
        "problems/problem.html",
        title=translate(ctx.language, kind.title),
        explanation=translate(ctx.language, kind.explanation),
        what_to_do=translate(ctx.language, kind.what_to_do),
        code=kind.status,
        address=ctx.runtime.issuer + kind.path,
    )
