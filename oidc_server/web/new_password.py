"""What a new password must be: one rule for sign-up, reset and set-up."""

from collections.abc import Iterable

from oidc_server.security import passwords
from oidc_server.web.context import Context


def problem(ctx: Context, password: str, known_by: Iterable[str]) -> str | None:
    """Why this password cannot be taken, as the code of a message; None if it can.

    `known_by` is what the person is known by: a password that is made of it is easily guessed.
    """
    if not password:
        return "missing"
    settings = ctx.runtime.settings
    return passwords.problems(
        password,
        minimum=settings.password_min_length,
        context=[*filter(None, known_by), settings.brand_name],
    )
