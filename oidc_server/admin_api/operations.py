"""Every operation of administration: each kind of thing has a table of its own."""

from oidc_server.admin_api import (
    access,
    audit_log,
    clients,
    invitations,
    keys,
    resource_servers,
    roles,
)
from oidc_server.admin_api.users import operations as of_users
from oidc_server.api.operations import Operation

OPERATIONS: tuple[Operation, ...] = (
    *of_users.OPERATIONS,
    *roles.OPERATIONS,
    *invitations.OPERATIONS,
    *clients.OPERATIONS,
    *access.OPERATIONS,
    *resource_servers.OPERATIONS,
    *keys.OPERATIONS,
    *audit_log.OPERATIONS,
)
