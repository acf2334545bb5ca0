"""The one rule about administrators as a group: as long as there is one who can act, one stays.

Whoever disables or deletes an account, or takes the role, asks here first, in the same transaction.
The callers come one after the other, so two administrators cannot remove each other.
"""

from sqlalchemy import bindparam, literal_column, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain import roles
from oidc_server.domain.base import table_of
from oidc_server.domain.roles import ADMIN, LastAdministratorError, RoleAssignment
from oidc_server.domain.users import User

_assignments = table_of(RoleAssignment)
_users = table_of(User)
_able = (
    select(_users.c.id)
    .join(_assignments, _assignments.c.user_id == _users.c.id)
    .where(
        _assignments.c.role == literal_column(f"'{ADMIN}'"),
        _users.c.disabled_at.is_(None),
    )
)
_IS_ONE = Statement(_able.where(_users.c.id == bindparam("user_id")))
_ANOTHER = Statement(_able.where(_users.c.id != bindparam("user_id")).limit(1))


def keep_one(db: Transaction, user_id: str) -> None:
    """Raise `LastAdministratorError` if nobody but this person can administer the server.

    It holds up everybody else who asks until the transaction ends: also for somebody who is no
    administrator, since they may become one meanwhile.
    """
    roles.take_turn(db)
    if db.first(_IS_ONE, user_id=user_id) and not db.first(_ANOTHER, user_id=user_id):
        raise LastAdministratorError
