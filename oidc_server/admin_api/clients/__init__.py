"""Clients: what is sent and answered (`models`), what is done (`api`), and by whom (`limits`)."""

from oidc_server.admin_api.clients.operations import OPERATIONS

__all__ = ["OPERATIONS"]
