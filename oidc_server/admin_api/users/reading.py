"""People, one by one and page by page; and whom a caller may touch."""

from oidc_server.admin_api.users.models import UserAnswer, UsersPage, told
from oidc_server.api.access import may_open, may_touch
from oidc_server.api.lists import ForeignCursorError, read_cursor, write_cursor
from oidc_server.api.operations import Call
from oidc_server.domain import roles, user_directory
from oidc_server.domain.user_directory import Place, Wanted
from oidc_server.domain.users import User
from oidc_server.web.errors import ProblemError, types


def list_users(call: Call) -> UsersPage:
    """A page of people."""
    query, db = call.query, call.ctx.db
    wanted = Wanted(query.search, query.role, query.disabled, query.verified)
    after = None if query.cursor is None else Place(*read_cursor(query.cursor, str, str, str))
    if after is not None and not user_directory.is_place(wanted, after):
        raise ForeignCursorError

    page = user_directory.page(db, wanted, query.limit, after)

    names = user_directory.roles_of_all(db, page.users)
    return UsersPage(
        users=[told(user, names[user.id]) for user in page.users],
        next_cursor=None if page.next is None else write_cursor(*page.next),
    )


def read_user(call: Call) -> UserAnswer:
    """Whoever the address names by id, username or verified address."""
    return answer(call, named(call))


def answer(call: Call, user: User) -> UserAnswer:
    return told(user, sorted(roles.roles_of(call.ctx.db, user.id)))


def named(call: Call) -> User:
    """The person in the path; raises `ProblemError`."""
    found = user_directory.find(call.ctx.db, call.path["user"])
    if found is None:
        raise ProblemError(types.NOT_FOUND, "There is no such user.")
    return found


def other(call: Call, *, opens: bool = False) -> User:
    """The same, for what is done to them: nobody does it to themselves, or to who may more.

    `opens` says that it would let the caller sign in as them. Raises `ProblemError`.
    """
    user = named(call)
    if user.id == call.caller.user_id:
        raise ProblemError(
            types.NOT_ALLOWED, "Nobody does this to themselves: another administrator has to."
        )
    held = roles.held_by(call.ctx.db, user.id)
    may_touch(call.caller, held)
    if opens:
        may_open(call.caller, held)
    return user
