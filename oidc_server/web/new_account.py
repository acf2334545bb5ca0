"""The form of a new account: one rule for sign-up and set-up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from oidc_server.domain import users
from oidc_server.web import new_password
from oidc_server.web.context import Context

_FIELDS = ("username", "email", "name")
EMPTY: Mapping[str, str] = dict.fromkeys(_FIELDS, "")


@dataclass(frozen=True)
class Draft:
    """A form that was looked at: its problems by field, or the hash of the password."""

    values: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    errors: Mapping[str, str] = field(default_factory=dict)
    password_hash: str | None = None


def examine(ctx: Context) -> Callable[[], Draft] | Draft:
    """Say all that is wrong with the form at once; if nothing is, what is left is to hash."""
    values = {name: ctx.form.text(name) for name in _FIELDS}
    password = ctx.form.text("password")
    errors = users.problems(**values)
    problem = new_password.problem(ctx, password, values.values())
    if problem is not None:
        errors["password"] = problem
    if errors:
        return Draft(values, errors)
    hasher = ctx.runtime.passwords
    return lambda: Draft(values, password_hash=hasher.hash(password))
