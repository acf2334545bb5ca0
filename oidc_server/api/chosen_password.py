"""A password that comes with a call of the API: looked at and hashed before the handler runs.

Hashing is dear and outside any transaction, so only a token that could be let in has it done; the
handler asks everything else.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from oidc_server.api.access import promising_token
from oidc_server.api.models import sent_members
from oidc_server.domain.base import FieldError
from oidc_server.people import new_password
from oidc_server.people.new_password import NewPassword
from oidc_server.web.context import Context
from oidc_server.web.endpoint import Before
from oidc_server.web.errors import InvalidFieldsError

_WORDS = {
    "missing": "It is empty.",
    "too_short": "It is too short.",
    "too_long": "It is too long.",
    "breached": "It is known from a leak.",
}
_EASY = "It is too easy to guess."


def hashed(scope: str | None, known_by: Sequence[str] = ()) -> Before:
    """Ahead of an operation that needs `scope`: judge and hash the member `password`, if any.

    Without a scope it is open to everybody, who had better be counted (`Operation.limit`).

    A password may not be made of the members `known_by`.
    """

    def prepare(ctx: Context) -> Any:
        is_awaited = scope is None or promising_token(ctx, scope) is not None
        body = sent_members(ctx) if is_awaited else {}
        password = body.get("password")
        if not isinstance(password, str):
            return NewPassword()
        names = [name for member in known_by if isinstance(name := body.get(member), str)]
        return new_password.choose(ctx, password, names, lambda found: found)

    return prepare


def password_hash(ctx: Context, refusals: Iterable[FieldError] = ()) -> str | None:
    """The hash of the password that came along; None if none did.

    Raises `InvalidFieldsError`, which also tells what other fields were refused for (`refusals`).
    """
    chosen: NewPassword = ctx.proof
    told = [([error.field], str(error)) for error in refusals]
    problem = problem_of(chosen)
    if problem is not None:
        told.append((["password"], problem))
    if told:
        raise InvalidFieldsError(*told)
    return chosen.password_hash


def problem_of(chosen: NewPassword) -> str | None:
    """Why a password cannot be taken, in words; None if it can."""
    return None if chosen.problem is None else _WORDS.get(chosen.problem, _EASY)
