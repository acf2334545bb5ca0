"""/password-meter: how good a new password is, while it is typed; asked by password_meter.js.

It stores nothing and reads nothing from the database: it judges by the form alone. What decides is
the check when the form is sent.
"""

from collections.abc import Callable

from oidc_server.people import new_password
from oidc_server.security.passwords import Judgement
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_KNOWN_BY = ("username", "email", "name")


def judge(ctx: Context) -> Callable[[], Judgement]:
    """Ahead of `tell`: estimating takes a while, so it happens where passwords are hashed."""
    runtime, password = ctx.runtime, ctx.form.text("password")
    known_by = [known for name in _KNOWN_BY if (known := ctx.form.text(name).strip())]
    return lambda: new_password.judge(runtime, password, known_by)


def tell(ctx: Context) -> Response:
    """`score` from 0 to 4, and `problem`, the code of the words that are in the page, or null."""
    judgement: Judgement = ctx.proof
    return responses.json({"score": judgement.score, "problem": judgement.problem})
