"""The addresses where people sign in, make an account, and prove and recover what opens it."""

from starlette.routing import Route

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
from oidc_server.web.kinds import action, form, page, script
from oidc_server.web.load.rate_limit import MAILS, SIGN_INS, SIGN_UPS, TYPING

ROUTES = [
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
    Route(
        "/login/set-up/done",
        action(enrolment.submit_saved, page="home"),
        name="authentication.codes_saved",
    ),
    Route(
        "/login/second-step/{pending_id}/send-code",
        action(second_step.send_code, page="authentication.second_step", limit=MAILS),
        name="authentication.send_code",
    ),
    Route(
        "/login/second-step/{pending_id}/passkey",
        action(
            passkey_step.submit_passkey,
            page="authentication.second_step",
            before=passkey_step.prove,
            failures=SIGN_INS,
        ),
        name="authentication.passkey_step",
    ),
    Route(
        "/login/second-step/{pending_id}/passkey/options",
        script(passkey_step.ask),
        name="authentication.ask_passkey_step",
    ),
    Route(
        "/login/passkey",
        action(
            passkey_login.submit_passkey,
            page="authentication.login",
            before=passkey_login.prove,
            failures=SIGN_INS,
        ),
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
        "/login/providers/{provider}",
        action(start.submit_provider, page="authentication.login"),
        name="authentication.provider",
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
        "/login/passkey-offer/no",
        action(passkey_offer.submit_no, page="authentication.passkey_offer"),
        name="authentication.no_passkey",
    ),
    Route(
        "/sign-up",
        form(sign_up.show_sign_up, sign_up.submit_sign_up, before=sign_up.prepare, limit=SIGN_UPS),
        name="authentication.sign_up",
    ),
    Route(
        "/sign-up/passkey",
        action(
            passkey_sign_up.submit_passkey,
            page="authentication.sign_up",
            before=passkey_sign_up.prepare,
            limit=SIGN_UPS,
        ),
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
        action(email_verification.resend_verification, page="account.overview", limit=MAILS),
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
]
"""A part of the route table."""
