"""The end of what clients were allowed."""

from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain import client_access, consents, grants, users


def withdraw_client(db: Transaction, user_id: str, client_id: str, now: datetime) -> bool:
    """Take back what a person allowed a client, with every token that came of it.

    False if the client had nothing. Tokens that others exchanged for such a one are dead as well:
    they carry the same grant. What was allowed goes first, which waits for a code that is being
    made by it: so that is revoked as well. Before that the person is held, as by who closes their
    account, and ends grants before what was allowed.
    """
    users.hold(db, user_id)
    withdrawn = consents.withdraw(db, user_id, client_id)
    return grants.revoke_of_user(db, user_id, now, client_id=client_id) > 0 or withdrawn


def withdraw_all_clients(db: Transaction, user_id: str, now: datetime) -> list[str]:
    """Take back what a person allowed every client; returns the ids of those that had something."""
    users.hold(db, user_id)
    found = [access.client_id for access in client_access.list_of_user(db, user_id, now)]
    for client_id in found:
        consents.withdraw(db, user_id, client_id)
    # A code that nobody has fetched yet is in no list, and dead all the same.
    grants.revoke_of_user(db, user_id, now)
    return found
