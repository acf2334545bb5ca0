"""What a new password must be: one rule for sign-up, reset, change and set-up.

Judging takes time, and asks others perhaps: it happens outside any transaction, with the hashing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from oidc_server.security import passwords
from oidc_server.security.passwords import Judgement
from oidc_server.web.context import Context
from oidc_server.web.load.lanes import Inquiry
from oidc_server.web.runtime import Runtime

T = TypeVar("T")


@dataclass(frozen=True)
class NewPassword:
    """A password that was judged: why it cannot be taken, as the code of a message, or its hash."""

    problem: str | None = None
    password_hash: str | None = None


def choose(
    ctx: Context,
    password: str,
    known_by: Iterable[str | None],
    then: Callable[[NewPassword], T],
    *,
    to_hash: bool = True,
) -> Callable[[], T] | Inquiry | T:
    """What `before` returns: judge the password, hash it if it may be taken, and call `then`.

    `known_by` is what the person is known by: a password that is made of it is easily guessed.
    Without `to_hash` it is judged only, as another field cannot be taken anyway.
    """
    if not password:
        return then(NewPassword("missing"))
    runtime, known = ctx.runtime, (*filter(None, known_by),)
    leaked: list[bool] = []

    def judge() -> T:
        problem = problem_of(runtime, password, known) or ("breached" if any(leaked) else None)
        hashed = runtime.passwords.hash(password) if to_hash and problem is None else None
        return then(NewPassword(problem, hashed))

    if not runtime.leaked_passwords.has_service or not passwords.is_possible(password):
        return judge
    return Inquiry(
        lambda: leaked.append(runtime.leaked_passwords.is_known_elsewhere(password)), judge
    )


def problem_of(runtime: Runtime, password: str, known_by: Iterable[str]) -> str | None:
    """Why this password cannot be taken, by all that is known here; None if it can."""
    return judge(runtime, password, known_by).problem


def judge(runtime: Runtime, password: str, known_by: Iterable[str]) -> Judgement:
    """The same, and how good the password is; what others know of leaks is not asked."""
    settings = runtime.settings
    judgement = passwords.judge(
        password,
        minimum=settings.password_min_length,
        context=[*known_by, settings.brand_name],
        site=urlsplit(settings.issuer).hostname or "",
    )
    if judgement.problem is None and runtime.leaked_passwords.is_listed(password):
        return Judgement("breached")
    return judgement
