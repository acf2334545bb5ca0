"""The addresses below /account/security: what each shows, takes, and asks for first."""

from starlette.routing import Route

from oidc_server.account import proof
from oidc_server.account.security import (
    passkey_step,
    passkeys,
    password,
    providers,
    second_step,
)
from oidc_server.people import console
from oidc_server.web.kinds import script

ROUTES = [
    Route(
        "/account/security/password",
        console.form(
            password.show_change_password,
            password.submit_change_password,
            before=password.prepare_change_password,
            sensitive=True,
        ),
        name="account.change_password",
    ),
    Route(
        "/account/security/passkeys/new",
        console.page(passkeys.show_new, sensitive=True),
        name="account.new_passkey",
    ),
    Route(
        "/account/security/passkeys/options",
        script(passkeys.ask, before=passkeys.prepare_options),
        name="account.ask_passkey",
    ),
    Route(
        "/account/security/passkeys",
        console.action(
            passkeys.submit_new, before=passkeys.prepare_new, page="account.new_passkey"
        ),
        name="account.add_passkey",
    ),
    Route(
        "/account/security/passkeys/second-step",
        console.form(
            passkey_step.show_passkey_step,
            passkey_step.submit_passkey_step,
            before=proof.begin,
            sensitive=True,
        ),
        name="account.passkey_step",
    ),
    Route(
        "/account/security/passkeys/{passkey_id}",
        console.form(passkeys.show_passkey, passkeys.submit_name, sensitive=True),
        name="account.passkey",
    ),
    Route(
        "/account/security/passkeys/{passkey_id}/remove",
        console.action(
            passkeys.submit_removal,
            before=passkeys.prepare_removal,
            page="account.passkey",
            sensitive=True,
        ),
        name="account.remove_passkey",
    ),
    Route(
        "/account/security/providers/{provider}",
        console.form(
            providers.show_connect, providers.submit_connect, before=proof.begin, sensitive=True
        ),
        name="account.connect_provider",
    ),
    Route(
        "/account/security/identities/{identity_id}",
        console.form(
            providers.show_identity,
            providers.submit_removal,
            before=providers.prepare_removal,
            sensitive=True,
        ),
        name="account.identity",
    ),
    Route(
        "/account/security/authenticator",
        console.form(
            second_step.show_new_authenticator,
            second_step.submit_new_authenticator,
            before=proof.begin,
            sensitive=True,
        ),
        name="account.new_authenticator",
    ),
    Route(
        "/account/security/authenticator/{factor_id}",
        console.form(
            second_step.show_authenticator, second_step.submit_authenticator, sensitive=True
        ),
        name="account.authenticator",
    ),
    Route(
        "/account/security/recovery-codes",
        console.form(
            second_step.show_recovery_codes,
            second_step.submit_recovery_codes,
            before=proof.begin,
            sensitive=True,
        ),
        name="account.recovery_codes",
    ),
    Route(
        "/account/security/recovery-codes/saved",
        console.action(second_step.submit_saved, page="account.security"),
        name="account.codes_saved",
    ),
    Route(
        "/account/security/mailed-codes",
        console.form(
            second_step.show_mailed_codes,
            second_step.submit_mailed_codes,
            before=proof.begin,
            sensitive=True,
        ),
        name="account.mailed_codes",
    ),
    Route(
        "/account/security/factors/{factor_id}",
        console.form(
            second_step.show_factor,
            second_step.submit_factor_removal,
            before=proof.begin,
            sensitive=True,
        ),
        name="account.factor",
    ),
    Route(
        "/account/security/trusted-devices/{device_id}",
        console.action(second_step.withdraw_trust, page="account.security"),
        name="account.withdraw_trust",
    ),
]
