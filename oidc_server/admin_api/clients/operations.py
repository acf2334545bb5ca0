"""The table of the operations on clients."""

from typing import Any

from oidc_server.admin_api.clients import api, models
from oidc_server.api.access import administration
from oidc_server.api.operations import Operation
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.errors import types

_CLIENT = "bXktY2xpZW50LWlkLWlzLTE"
_PATH = "/api/v1/admin/clients"
_SUMMARY = {
    "client_id": _CLIENT,
    "client_name": "Shop",
    "type": "web",
    "disabled": False,
    "self_registered": False,
    "created_at": "2026-01-05T09:00:00Z",
}
_EXAMPLE = {
    **_SUMMARY,
    "secrets": [{"expires_at": None}],
    "redirect_uris": ["https://shop.example.net/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": "email openid profile",
    "token_endpoint_auth_method": "client_secret_basic",
    "id_token_signed_response_alg": "RS256",
    "subject_type": "public",
    "require_pkce": True,
    "skip_consent": False,
    "may_introspect": False,
    "may_exchange": False,
}
_WITH_SECRET = {**_EXAMPLE, "client_secret": "shown-this-once-and-kept-as-a-digest"}
_READS: dict[str, Any] = {"method": "GET", "rule": administration(ApiScope.CLIENTS_READ)}
_WRITES: dict[str, Any] = {"rule": administration(ApiScope.CLIENTS_WRITE)}

OPERATIONS = (
    Operation(
        path=_PATH,
        name="admin_api.clients",
        summary="List clients",
        description="Newest first; those that a search finds, by name. Where a filter leaves few, a"
        " page may hold less than `limit`, even none, and still have a `next_cursor`.",
        handler=api.list_clients,
        query=models.ClientsQuery,
        answer=models.ClientsPage,
        query_example={"search": "shop", "limit": 50},
        answer_example={"clients": [_SUMMARY], "next_cursor": None},
        **_READS,
    ),
    Operation(
        method="POST",
        path=_PATH,
        name="admin_api.create_client",
        summary="Register a client",
        description="The members are those of RFC 7591, judged as everywhere here. Nobody makes a"
        " client with scopes of this API that they may not use for others themselves, or with those"
        " of a role that they lack; what goes beyond the consent of people (skip_consent,"
        " may_introspect, may_exchange) is for administrators and services, and so is a client that"
        " does more than read by itself (client_credentials), or serves a resource. The secret is"
        " in this answer alone.",
        handler=api.create_client,
        body=models.NewClient,
        answer=models.ClientWithSecret,
        status=201,
        body_example={
            "type": "web",
            "client_name": "Shop",
            "redirect_uris": ["https://shop.example.net/callback"],
        },
        answer_example=_WITH_SECRET,
        **_WRITES,
    ),
    Operation(
        path=f"{_PATH}/{{client_id}}",
        name="admin_api.client",
        summary="Read a client",
        handler=api.read_client,
        answer=models.ClientAnswer,
        answer_example=_EXAMPLE,
        **_READS,
    ),
    Operation(
        method="PATCH",
        path=f"{_PATH}/{{client_id}}",
        name="admin_api.change_client",
        summary="Change a client",
        description="What is not named stays, and null takes a member away. A client that comes to"
        " authenticate with a secret gets one, in this answer alone.",
        handler=api.change_client,
        body=models.ClientChange,
        answer=models.ClientWithSecret,
        body_example={"client_name": "Shop", "logo_uri": None},
        answer_example={**_EXAMPLE, "client_secret": None},
        **_WRITES,
    ),
    Operation(
        method="DELETE",
        path=f"{_PATH}/{{client_id}}",
        name="admin_api.delete_client",
        summary="Delete a client",
        description="Its tokens, and what people allowed it, end with it. Its id is never used"
        " again.",
        handler=api.delete_client,
        status=204,
        **_WRITES,
    ),
    Operation(
        method="POST",
        path=f"{_PATH}/{{client_id}}/disable",
        name="admin_api.disable_client",
        summary="Disable a client",
        description="From its next request on, on every node, nothing of it works.",
        handler=api.disable_client,
        answer=models.ClientAnswer,
        answer_example={**_EXAMPLE, "disabled": True},
        **_WRITES,
    ),
    Operation(
        method="POST",
        path=f"{_PATH}/{{client_id}}/enable",
        name="admin_api.enable_client",
        summary="Enable a client again",
        handler=api.enable_client,
        answer=models.ClientAnswer,
        answer_example=_EXAMPLE,
        **_WRITES,
    ),
    Operation(
        method="POST",
        path=f"{_PATH}/{{client_id}}/secrets",
        name="admin_api.rotate_client_secret",
        summary="Give a client a new secret",
        description="The secrets there are go on working for `overlap` seconds, so that nothing"
        " stops while the new one is brought to where it is used. It is in this answer alone.",
        handler=api.rotate_secret,
        body=models.NewSecret,
        answer=models.SecretAnswer,
        status=201,
        body_example={"overlap": 86400},
        answer_example={
            "client_id": _CLIENT,
            "client_secret": "shown-this-once-and-kept-as-a-digest",
            "others_expire_at": "2026-01-06T09:00:00Z",
        },
        problems=(types.CONFLICT,),
        **_WRITES,
    ),
)
