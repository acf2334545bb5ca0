"""/account/security: the page that its sections make up.

A section is a module here with a function that returns the values of its template, and a line in
`SECTIONS`. What its buttons do has addresses of its own below /account/security/.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oidc_server.account.security import passkeys, password, providers, second_step
from oidc_server.domain import users
from oidc_server.domain.users import User
from oidc_server.people import console
from oidc_server.people.console import get_session
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


@dataclass(frozen=True, slots=True)
class Section:
    """A panel of the page: its template, and what that shows of a person."""

    template: str
    view: Callable[[Context, User], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A section as the page renders it: its template finds the values under `section`."""

    template: str
    values: Mapping[str, Any]


SECTIONS: tuple[Section, ...] = (
    Section("account/security/passkeys.html", passkeys.view),
    Section("account/security/password.html", password.view),
    Section("account/security/providers.html", providers.view),
    Section("account/security/second_step.html", second_step.view),
)
"""In the order in which they stand on the page, the strongest way first."""


def show_security(ctx: Context) -> Response:
    user = users.get(ctx.db, get_session(ctx).user_id)
    sections = [Shown(section.template, section.view(ctx, user)) for section in SECTIONS]

    return console.render(ctx, "account/security/page.html", sections=sections)
