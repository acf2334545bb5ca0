"""The end of a provider that people sign in with."""

from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain import identities, identity_providers, mails, upstream_sign_ins
from oidc_server.domain.identity_providers import IdentityProvider
from oidc_server.domain.mails import Notice


def remove_provider(db: Transaction, provider: IdentityProvider, now: datetime) -> int:
    """Forget a provider and every account there that was linked; returns how many those were.

    A mail tells their owners. What they opened goes on until it ends. It is shut first, which waits
    for whoever is just leaving for it, or connecting: so that is forgotten as well.
    """
    identity_providers.disable(db, provider, now)
    upstream_sign_ins.delete_all_at(db, provider.id)
    linked = identities.count_at(db, provider.id)
    for user_id in identities.delete_all_at(db, provider.id):
        mails.notify(db, user_id, Notice.IDENTITY_UNLINKED, now, detail=provider.label)
    identity_providers.delete_row(db, provider.id)
    return linked
