"""Everything that ends something, whoever asks: a page, a command, a job.

Each function does all that belongs to it in one transaction, so that callers cannot forget a part.
Mails and logout tokens are written to the outbox here, and sent by `jobs/`.
"""

from oidc_server.domain.endings.accounts import (
    bring_back,
    delete_due,
    delete_user,
    disable_user,
    enable_user,
    schedule_deletion,
    withdraw_role,
)
from oidc_server.domain.endings.clients import (
    withdraw_all_clients,
    withdraw_client,
)
from oidc_server.domain.endings.intruders import (
    disown,
    undo_email_change,
)
from oidc_server.domain.endings.names import (
    change_email,
    rename_user,
    set_email,
)
from oidc_server.domain.endings.passwords import (
    change_password,
    mail_password_link,
    reset_factors,
    reset_password,
)
from oidc_server.domain.endings.providers import remove_provider
from oidc_server.domain.endings.sessions import (
    end_expired_sessions,
    end_session,
    end_session_of_user,
    end_sessions_of_user,
    end_surplus_sessions,
)

__all__ = [
    "bring_back",
    "change_email",
    "change_password",
    "delete_due",
    "delete_user",
    "disable_user",
    "disown",
    "enable_user",
    "end_expired_sessions",
    "end_session",
    "end_session_of_user",
    "end_sessions_of_user",
    "end_surplus_sessions",
    "mail_password_link",
    "remove_provider",
    "rename_user",
    "reset_factors",
    "reset_password",
    "schedule_deletion",
    "set_email",
    "undo_email_change",
    "withdraw_all_clients",
    "withdraw_client",
    "withdraw_role",
]
