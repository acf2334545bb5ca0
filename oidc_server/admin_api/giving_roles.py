"""Who gives roles: to an account, or to whoever will use an invitation."""

from oidc_server.api.access import may_touch
from oidc_server.api.operations import Call
from oidc_server.domain import roles
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.errors import ProblemError, types


def may_give(call: Call, role: str) -> None:
    """Let nobody give a role whose own roles do not let them, or that gives more than they have.

    It takes the scope for it, whatever else the operation asks for. Raises `ProblemError`,
    `UnknownRoleError`.
    """
    caller, scope = call.caller, ApiScope.ROLES_WRITE.value
    if scope not in caller.token.scopes or (caller.held and not caller.held.give(scope)):
        raise ProblemError(types.NOT_ALLOWED, f"Roles are given by whoever may use {scope}.")
    may_touch(caller, roles.get(call.ctx.db, role).held)
