"""Every URL of the server, named, in walking order.

The constructors come from `web/kinds.py`; they say how an address is called, in which transaction,
and how often. The API (`OPERATIONS`), signing in, the console and the gateways have their tables.
"""

from starlette.routing import Route

from oidc_server.account import addresses as of_console
from oidc_server.account.security import addresses as of_security
from oidc_server.account.security import password
from oidc_server.account_api import operations as of_account
from oidc_server.admin_api import operations as of_administration
from oidc_server.api import operations
from oidc_server.api.operations import Operation
from oidc_server.api_docs import endpoint as api_docs
from oidc_server.api_docs import pages as api_pages
from oidc_server.authentication import addresses as of_sign_in
from oidc_server.authorization import consent, pushed
from oidc_server.authorization import endpoint as authorization
from oidc_server.client_registration import configuration
from oidc_server.client_registration import endpoint as client_registration
from oidc_server.credits import operations as of_credits
from oidc_server.dev import app as dev_app
from oidc_server.dev import mailbox
from oidc_server.device import authorization as device_authorization
from oidc_server.device import confirmation, verification
from oidc_server.discovery import jwks, metadata, passkey_endpoints, protected_resource
from oidc_server.forward_auth import addresses as of_gateways
from oidc_server.health import endpoint as health
from oidc_server.language_choice import page as language_choice
from oidc_server.logout import end_session
from oidc_server.problems import page as problems
from oidc_server.setup import home
from oidc_server.setup import page as setup
from oidc_server.token import endpoint as token
from oidc_server.token import introspection, revocation
from oidc_server.userinfo import endpoint as userinfo
from oidc_server.web.kinds import action, document, form, machine, page, published, record
from oidc_server.web.load.rate_limit import (
    DEVICES,
    FAILURES,
    PASSAGES,
    REGISTRATIONS,
)
from oidc_server.web.protocol import access_with_proof

OPERATIONS: tuple[Operation, ...] = (
    *of_account.OPERATIONS,
    *of_credits.OPERATIONS,
    *of_administration.OPERATIONS,
)
"""Every operation of the API: each feature has a table of its own."""

METADATA_ENDPOINTS = {
    "authorization_endpoint": "authorization.authorize",
    "pushed_authorization_request_endpoint": "authorization.push",
    "token_endpoint": "token.token",
    "device_authorization_endpoint": "device.authorization",
    "userinfo_endpoint": "userinfo.userinfo",
    "jwks_uri": "discovery.jwks",
    "introspection_endpoint": "token.introspect",
    "revocation_endpoint": "token.revoke",
    "end_session_endpoint": "logout.end_session",
    "registration_endpoint": "client_registration.register",
}
"""Names of RFC 8414 §2 and OpenID Connect Discovery §3, and the routes behind them."""

ROUTES = [
    # 1 · a client discovers the server, sends the browser, and gets tokens
    Route(
        "/.well-known/openid-configuration",
        published(metadata.openid_configuration, access=None),
        name="discovery.openid_configuration",
    ),
    Route(
        "/.well-known/oauth-authorization-server",
        published(metadata.openid_configuration, access=None),
        name="discovery.oauth_authorization_server",
    ),
    Route(
        "/.well-known/oauth-protected-resource",
        published(protected_resource.oauth_protected_resource, access=None),
        name="discovery.oauth_protected_resource",
    ),
    Route(
        "/.well-known/oauth-protected-resource/{path:path}",
        published(protected_resource.resource_below_us, access="read"),
        name="discovery.protected_resource",
    ),
    Route(
        "/.well-known/passkey-endpoints",
        machine(passkey_endpoints.passkey_endpoints, methods=("GET",), access=None),
        name="discovery.passkey_endpoints",
    ),
    Route(
        "/jwks.json",
        published(jwks.jwks, access=jwks.access_to_keys, meanwhile=jwks.jwks_meanwhile),
        name="discovery.jwks",
    ),
    Route(
        "/authorize",
        page(
            authorization.authorize,
            post=authorization.authorize_by_post,
            access="write",
            limit=PASSAGES,
        ),
        name="authorization.authorize",
    ),
    Route(
        "/authorize/{request_id}",
        page(authorization.resume, access="write", limit=PASSAGES),
        name="authorization.resume",
    ),
    Route(
        "/par",
        machine(pushed.push, failures=FAILURES, cross_origin=True),
        name="authorization.push",
    ),
    *of_sign_in.ROUTES,
    Route(
        "/consent/{request_id}",
        form(consent.show_consent, consent.submit_consent),
        name="authorization.consent",
    ),
    Route(
        "/token",
        machine(
            token.token,
            before=token.prove_for_password_grant,
            needs_before=token.asks_for_password_grant,
            failures=FAILURES,
            cross_origin=True,
        ),
        name="token.token",
    ),
    Route(
        "/device_authorization",
        machine(device_authorization.authorize_device, limit=DEVICES),
        name="device.authorization",
    ),
    Route(
        "/device",
        form(verification.show_verification, verification.submit_verification),
        name="device.verification",
    ),
    Route(
        "/device/{request_id}",
        form(confirmation.show_confirmation, confirmation.submit_confirmation),
        name="device.confirmation",
    ),
    Route(
        "/userinfo",
        machine(
            userinfo.userinfo,
            methods=("GET", "POST"),
            access=access_with_proof,
            failures=FAILURES,
            cross_origin=True,
        ),
        name="userinfo.userinfo",
    ),
    Route(
        "/introspect", machine(introspection.introspect, failures=FAILURES), name="token.introspect"
    ),
    Route(
        "/revoke",
        machine(revocation.revoke, failures=FAILURES, cross_origin=True),
        name="token.revoke",
    ),
    Route(
        "/logout",
        page(
            end_session.end_session,
            post=end_session.end_session_by_post,
            access="write",
            limit=PASSAGES,
        ),
        name="logout.end_session",
    ),
    Route(
        "/register",
        machine(client_registration.register, limit=REGISTRATIONS, cross_origin=True),
        name="client_registration.register",
    ),
    Route(
        "/register/{client_id}",
        record(
            get=configuration.show,
            put=configuration.replace,
            delete=configuration.delete,
            limit=REGISTRATIONS,
            failures=FAILURES,
        ),
        name="client_registration.configuration",
    ),
    # 2 · people
    Route("/", page(home.show_home, limit=PASSAGES), name="home"),
    Route(
        "/setup",
        form(setup.show_setup, setup.submit_setup, before=setup.prepare),
        name="setup.setup",
    ),
    *of_console.ROUTES,
    *of_security.ROUTES,
    Route(
        "/.well-known/change-password",
        page(password.show_where_to_change, limit=PASSAGES),
        name="account.where_to_change_password",
    ),
    Route(
        "/language",
        form(language_choice.show_language, language_choice.submit_language),
        name="language_choice.language",
    ),
    # 3 · programs
    Route("/problems/{name}", page(problems.show_problem), name="problems.problem"),
    *operations.routes(OPERATIONS),
    Route(
        "/openapi.json",
        document(api_docs.describing(OPERATIONS, METADATA_ENDPOINTS)),
        name="api_docs.openapi",
    ),
    *of_gateways.ROUTES,
    Route("/docs", page(api_pages.show_swagger_ui), name="api_docs.swagger_ui"),
    Route("/docs/signed-in", page(api_pages.show_signed_in), name="api_docs.signed_in"),
    Route("/redoc", page(api_pages.show_redoc), name="api_docs.redoc"),
    # 4 · operators
    Route("/health/live", health.probe(health.live, access=None), name="health.live"),
    Route("/health/ready", health.probe(health.ready, access="read"), name="health.ready"),
    Route("/health/startup", health.probe(health.startup, access="read"), name="health.startup"),
    Route("/health", health.probe(health.ready, access="read"), name="health.health"),
]

DEV_ROUTES = [
    Route("/dev/mail", page(mailbox.show_mails), name="dev.mail"),
    Route("/dev/mail/{mail_id}", page(mailbox.show_mail), name="dev.mail_one"),
    Route("/dev/app", page(dev_app.show_app), name="dev.app"),
    Route("/dev/app/sign-in", page(dev_app.sign_in, access="write"), name="dev.app_sign_in"),
    Route("/dev/app/callback", dev_app.Callback(), name="dev.app_callback"),
    Route("/dev/app/sign-out", action(dev_app.sign_out, page="dev.app"), name="dev.app_sign_out"),
]
"""Mounted with `--dev` only."""
