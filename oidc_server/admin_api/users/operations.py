"""The table of the operations on people."""

from typing import Any

from oidc_server.admin_api.users import changing, models, reading
from oidc_server.api.access import administration
from oidc_server.api.chosen_password import hashed
from oidc_server.api.operations import Operation
from oidc_server.api.profile import Claims
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.errors import types

_USERS = "/api/v1/admin/users"
_USER = f"{_USERS}/{{user}}"
_EXAMPLE: dict[str, Any] = {
    **dict.fromkeys(Claims.model_fields),
    "id": "3f0e9c1a-6f54-4f5e-9c1b-2a7d8e0b4c55",
    "username": "ann",
    "email": "ann@example.com",
    "email_verified": True,
    "disabled": False,
    "has_password": True,
    "roles": ["user"],
    "name": "Ann Lee",
    "phone_number_verified": False,
    "created_at": "2026-01-05T09:00:00Z",
    "updated_at": "2026-01-05T09:00:00Z",
}
_READS: dict[str, Any] = {"method": "GET", "rule": administration(ApiScope.USERS_READ)}
_WRITES: dict[str, Any] = {
    "rule": administration(ApiScope.USERS_WRITE),
    "problems": (types.CONFLICT,),
}
_DISABLES: dict[str, Any] = {
    "method": "POST",
    "rule": administration(ApiScope.USERS_DISABLE),
    "answer": models.UserAnswer,
    "problems": (types.CONFLICT,),
}
_ROLES: dict[str, Any] = {
    "path": f"{_USER}/roles/{{role}}",
    "rule": administration(ApiScope.ROLES_WRITE),
    "problems": (types.CONFLICT,),
    "status": 204,
}

OPERATIONS = (
    Operation(
        path=_USERS,
        name="admin_api.users",
        summary="List users",
        description="By username, or by id with `role`. `search` is the beginning of a username or"
        " of an address; people whose address alone fits follow the others. A page may hold fewer"
        " than `limit`: go on as long as there is a `next_cursor`.",
        handler=reading.list_users,
        query=models.UsersQuery,
        answer=models.UsersPage,
        query_example={"search": "an", "disabled": False, "limit": 50},
        answer_example={"users": [_EXAMPLE], "next_cursor": None},
        **_READS,
    ),
    Operation(
        method="POST",
        path=_USERS,
        name="admin_api.create_user",
        summary="Make a user",
        description="Without a password, a mail brings a link to choose one, if the address is"
        " verified. Roles take `roles:write` too.",
        handler=changing.create_user,
        before=hashed(ApiScope.USERS_WRITE, ("username", "email", "name")),
        body=models.NewUser,
        answer=models.UserAnswer,
        status=201,
        body_example={
            "username": "ann",
            "email": "ann@example.com",
            "email_verified": True,
            "name": "Ann Lee",
        },
        answer_example={**_EXAMPLE, "has_password": False},
        **{**_WRITES, "problems": (types.CONFLICT, types.NOT_FOUND)},
    ),
    Operation(
        path=_USER,
        name="admin_api.user",
        summary="Read a user",
        description="By id, username or verified address.",
        handler=reading.read_user,
        answer=models.UserAnswer,
        answer_example=_EXAMPLE,
        **_READS,
    ),
    Operation(
        method="PATCH",
        path=_USER,
        name="admin_api.change_user",
        summary="Change a user",
        description="The username, the address and whether it is verified, and what apps may be"
        " told. Another address is unverified unless the body says otherwise.",
        handler=changing.change_user,
        body=models.UserChange,
        answer=models.UserAnswer,
        body_example={"name": "Ann Lee", "email_verified": True},
        answer_example=_EXAMPLE,
        **_WRITES,
    ),
    Operation(
        method="DELETE",
        path=_USER,
        name="admin_api.delete_user",
        summary="Delete a user",
        description="With all that is personal, at once and for good. The id is never used again.",
        handler=changing.delete_user,
        status=204,
        **_WRITES,
    ),
    Operation(
        path=f"{_USER}/disable",
        name="admin_api.disable_user",
        summary="Disable a user",
        description="Nobody signs in, and every token of the user is dead at once.",
        handler=changing.disable_user,
        answer_example={**_EXAMPLE, "disabled": True},
        **_DISABLES,
    ),
    Operation(
        path=f"{_USER}/enable",
        name="admin_api.enable_user",
        summary="Enable a user",
        description="What ended stays ended: they sign in again, and so they do for their apps.",
        handler=changing.enable_user,
        answer_example=_EXAMPLE,
        **_DISABLES,
    ),
    Operation(
        method="PUT",
        path=f"{_USER}/password",
        name="admin_api.set_password",
        summary="Set a password",
        description="Sessions end, and so does what apps were given.",
        handler=changing.set_password,
        before=hashed(ApiScope.USERS_WRITE),
        body=models.ChosenPassword,
        body_example={"password": "a long enough passphrase"},
        status=204,
        **_WRITES,
    ),
    Operation(
        method="POST",
        path=f"{_USER}/password-reset",
        name="admin_api.reset_password",
        summary="Have a user choose another password",
        description="The password is worthless at once, and so is what it opened; a mail brings a"
        " link.",
        handler=changing.reset_password,
        status=202,
        **_WRITES,
    ),
    Operation(
        method="DELETE",
        path=f"{_USER}/factors",
        name="admin_api.reset_factors",
        summary="Remove every second factor of a user",
        description="For somebody who has lost them. Sessions end. Passkeys stay that let the user"
        " in without a password; none is asked for after it any more.",
        handler=changing.reset_factors,
        status=204,
        **_WRITES,
    ),
    Operation(
        method="DELETE",
        path=f"{_USER}/sessions",
        name="admin_api.end_sessions",
        summary="Sign a user out everywhere",
        handler=changing.end_sessions,
        rule=administration(ApiScope.SESSIONS_WRITE),
        status=204,
    ),
    Operation(
        method="PUT",
        name="admin_api.give_role",
        summary="Give a role",
        description="One that gives nothing which the caller does not have.",
        handler=changing.give_role,
        **_ROLES,
    ),
    Operation(
        method="DELETE",
        name="admin_api.take_role",
        summary="Take a role",
        description="The last administrator keeps theirs.",
        handler=changing.take_role,
        **_ROLES,
    ),
)
