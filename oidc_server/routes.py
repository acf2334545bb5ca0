"""Every URL of the server, named, in walking order.

The constructors come from `web/kinds.py`; they say how an address is called, in which transaction,
and how often. The API (`OPERATIONS`), the console and the gateways have tables of their own.
"""

from starlette.routing import Route

from oidc_server.account import addresses as of_console
from oidc_server.account.security import addresses as of_security
from oidc_server.account.security import password
from oidc_server.account_api import operations as of_account
from oidc_server.admin_api import operations as of_administration
from oidc_server.api_docs import endpoint as api_docs
from oidc_server.api_docs import pages as api_pages
from oidc_server.authentication import (
    email_verification,
    enrolment,
    login,
    not_me,
    passkey_login,
    passkey_offer,
    passkey_sign_up,
    passkey_step,
    password_meter,
    password_reset,
    second_step,
    select_account,
    sign_up,
    step_up,
    undo_email_change,
)
from oidc_server.authentication.providers import callback, connecting, newcomer, start
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
from oidc_server.web import operations
from oidc_server.web.kinds import action, document, form, machine, page, record, script
from oidc_server.web.operations import Operation
from oidc_server.web.protocol import access_with_proof
from oidc_server.web.rate_limit import (
    DEVICES,
    FAILURES,
    MAILS,
    PASSAGES,
    REGISTRATIONS,
    SIGN_INS,
    SIGN_UPS,
    TYPING,
)

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
        machine(metadata.openid_configuration, methods=("GET",), access=None),
        name="discovery.openid_configuration",
    ),
    Route(
        "/.well-known/oauth-authorization-server",
        machine(metadata.openid_configuration, methods=("GET",), access=None),
        name="discovery.oauth_authorization_server",
    ),
    Route(
        "/.well-known/oauth-protected-resource",
        machine(protected_resource.oauth_protected_resource, methods=("GET",), access=None),
        name="discovery.oauth_protected_resource",
    ),
    Route(
        "/.well-known/oauth-protected-resource/{path:path}",
        machine(protected_resource.resource_below_us, methods=("GET",), access="read"),
        name="discovery.protected_resource",
    ),
    Route(
        "/.well-known/passkey-endpoints",
        machine(passkey_endpoints.passkey_endpoints, methods=("GET",), access=None),
        name="discovery.passkey_endpoints",
    ),
    Route(
        "/jwks.json",
        machine(jwks.jwks, methods=("GET",), access=jwks.access_to_keys),
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
    Route(
        "/login",
        form(login.show_login, login.submit_login, before=login.prove, failures=SIGN_INS),
        name="authentication.login",
    ),
    Route(
        "/login/second-step/{pending_id}",
        form(second_step.show_second_step, second_step.submit_second_step, failures=SIGN_INS),
        name="authentication.second_step",
    ),
    Route("/login/step-up", page(step_up.step_up, access="write"), name="authentication.step_up"),
    Route(
        "/login/set-up/{pending_id}/{factor_id}",
        form(enrolment.show_enrolment, enrolment.submit_enrolment),
        name="authentication.enrol",
    ),
    Route("/login/set-up/done", action(enrolment.submit_saved), name="authentication.codes_saved"),
    Route(
        "/login/second-step/{pending_id}/send-code",
        action(second_step.send_code, limit=MAILS),
        name="authentication.send_code",
    ),
    Route(
        "/login/second-step/{pending_id}/passkey",
        action(passkey_step.submit_passkey, before=passkey_step.prove, failures=SIGN_INS),
        name="authentication.passkey_step",
    ),
    Route(
        "/login/second-step/{pending_id}/passkey/options",
        script(passkey_step.ask),
        name="authentication.ask_passkey_step",
    ),
    Route(
        "/login/passkey",
        action(passkey_login.submit_passkey, before=passkey_login.prove, failures=SIGN_INS),
        name="authentication.passkey",
    ),
    Route("/login/passkey/options", script(passkey_login.ask), name="authentication.ask_passkey"),
    Route(
        "/login/providers/new/{sign_in_id}",
        form(newcomer.show_newcomer, newcomer.submit_newcomer),
        name="authentication.newcomer",
    ),
    Route(
        "/login/providers/connect/{sign_in_id}",
        form(connecting.show_connecting, connecting.submit_connecting),
        name="authentication.connect_provider",
    ),
    Route(
        "/login/providers/{provider}", action(start.submit_provider), name="authentication.provider"
    ),
    Route(
        "/login/providers/{provider}/callback",
        page(callback.finish, access="write", before=callback.ask_provider),
        name="authentication.provider_callback",
    ),
    Route(
        "/select-account/{request_id}",
        form(select_account.show_select_account, select_account.submit_select_account),
        name="authentication.select_account",
    ),
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
        machine(client_registration.register, limit=REGISTRATIONS),
        name="client_registration.register",
    ),
    Route(
        "/register/{client_id}",
        record(
            get=configuration.show,
            put=configuration.replace,
            delete=configuration.delete,
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
    Route(
        "/login/passkey-offer",
        form(passkey_offer.show_offer, passkey_offer.submit_passkey, before=passkey_offer.prepare),
        name="authentication.passkey_offer",
    ),
    Route(
        "/login/passkey-offer/options",
        script(passkey_offer.ask),
        name="authentication.ask_passkey_offer",
    ),
    Route(
        "/login/passkey-offer/no", action(passkey_offer.submit_no), name="authentication.no_passkey"
    ),
    Route(
        "/sign-up",
        form(sign_up.show_sign_up, sign_up.submit_sign_up, before=sign_up.prepare, limit=SIGN_UPS),
        name="authentication.sign_up",
    ),
    Route(
        "/sign-up/passkey",
        action(passkey_sign_up.submit_passkey, before=passkey_sign_up.prepare, limit=SIGN_UPS),
        name="authentication.passkey_sign_up",
    ),
    Route(
        "/sign-up/passkey/options",
        script(passkey_sign_up.ask),
        name="authentication.ask_passkey_sign_up",
    ),
    Route(
        "/password-meter",
        script(password_meter.tell, access=None, before=password_meter.judge, limit=TYPING),
        name="authentication.password_meter",
    ),
    Route(
        "/password-reset",
        form(password_reset.show_password_reset, password_reset.submit_password_reset, limit=MAILS),
        name="authentication.password_reset",
    ),
    Route(
        "/password-reset/new",
        form(
            password_reset.show_new_password,
            password_reset.submit_new_password,
            before=password_reset.prepare_new_password,
        ),
        name="authentication.new_password",
    ),
    Route("/not-me", form(not_me.show_not_me, not_me.submit_not_me), name="authentication.not_me"),
    Route(
        "/verify-email",
        form(email_verification.show_verify_email, email_verification.submit_verify_email),
        name="authentication.verify_email",
    ),
    Route(
        "/verify-email/resend",
        action(email_verification.resend_verification, limit=MAILS),
        name="authentication.resend_verification",
    ),
    Route(
        "/verify-email/code",
        form(email_verification.show_email_code, email_verification.submit_email_code),
        name="authentication.email_code",
    ),
    Route(
        "/change-email",
        form(email_verification.show_change_email, email_verification.submit_change_email),
        name="authentication.change_email",
    ),
    Route(
        "/undo-email-change",
        form(undo_email_change.show_undo_email_change, undo_email_change.submit_undo_email_change),
        name="authentication.undo_email_change",
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
    Route("/dev/app/sign-out", action(dev_app.sign_out), name="dev.app_sign_out"),
]
"""Mounted with `--dev` only."""
