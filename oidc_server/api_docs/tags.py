"""What operations are listed under: a tag for each kind of thing, with words for people."""

from collections.abc import Iterable
from typing import Any

from oidc_server.api.operations import Operation

_ROOT = "/api/v1/"
_ACCOUNT = (
    "Your account",
    "For people, about themselves: profile, password, address, sessions, and what apps may do.",
)
_TAGS = {
    "credits": (
        "Credits",
        "A balance for everybody, that never falls below zero, and every movement of it.",
    ),
    "admin/users": ("Admin: users", "People: find, make, change, disable and delete them."),
    "admin/roles": ("Admin: roles", "What people may do to others: roles, and their scopes."),
    "admin/invitations": ("Admin: invitations", "Let in people who have no account yet."),
    "admin/clients": ("Admin: clients", "Applications and services that may ask for tokens."),
    "admin/resources": ("Admin: resource servers", "APIs that tokens are for, and their scopes."),
    "admin/sessions": ("Admin: sessions", "Browsers that are signed in, and the end of it."),
    "admin/grants": ("Admin: grants", "What clients may do for people, and the end of it."),
    "admin/signing-keys": ("Admin: signing keys", "What tokens are signed with."),
    "admin/audit-events": ("Admin: audit log", "Who did what to whom, to search and to keep."),
}
"""By the beginning of the address."""


def tag_of(operation: Operation) -> str:
    """The name of the tag of an operation."""
    return _tag(operation)[0]


def tags(operations: Iterable[Operation]) -> list[dict[str, Any]]:
    """The Tag Objects (OpenAPI 3.1.1 §4.8.22), in the order of their operations."""
    found = dict.fromkeys(map(_tag, operations))
    return [{"name": name, "description": description} for name, description in found]


def _tag(operation: Operation) -> tuple[str, str]:
    first, *rest = operation.path.removeprefix(_ROOT).split("/")
    if first != "admin":
        return _TAGS.get(first, _ACCOUNT)
    return _TAGS[f"admin/{rest[0]}"]
