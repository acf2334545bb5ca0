"""`oidc-server doctor`: looks at what may be wrong, each line with its fix."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer

from oidc_server.cli.doctor.client_advice import advise
from oidc_server.cli.doctor.client_ratings import rate_clients
from oidc_server.cli.doctor.findings import Finding
from oidc_server.cli.doctor.setting_ratings import rate_registration_scopes, rate_settings
from oidc_server.cli.output import Json, show_all
from oidc_server.cli.provider_answers import why_unusable
from oidc_server.clock import utc_now
from oidc_server.database import Transaction
from oidc_server.domain import clients, identity_providers, logout_deliveries, signing_keys
from oidc_server.domain.identity_providers import IdentityProvider
from oidc_server.settings import Settings, load

_LATELY = timedelta(days=7)
_OWN_REDIRECTS = ("api_docs.signed_in",)
_FIXES = {
    "database": "Start it, or correct OIDC_DATABASE_URL.",
    "clock": "Synchronise both machines' clocks.",
    "signing key": "Correct OIDC_SECRET_KEY, or secret.key in the data folder;"
    " the first keys are made by: oidc-server db upgrade",
}


def doctor(
    *,
    url: Annotated[
        str | None, typer.Option(help="Address of the server, if not its issuer.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check settings, services and clients. It exits 1 when a check has failed."""
    from oidc_server.app import build_runtime  # noqa: PLC0415 - no other command needs it
    from oidc_server.cli.doctor.outside import look_from_outside  # noqa: PLC0415 - as above
    from oidc_server.health.checks import checks  # noqa: PLC0415 - as above
    from oidc_server.routes import ROUTES  # noqa: PLC0415 - as above

    settings = load()
    runtime = build_runtime(settings, utc_now, ROUTES)
    found = [
        Finding(check.name, "ok", check.finding)
        if check.ok
        else Finding(check.name, "fail", f"{check.finding} {_FIXES.get(check.name, '')}".rstrip())
        for check in checks(runtime)
    ]
    if all(finding.result == "ok" for finding in found):
        with runtime.database.transaction("read") as db:
            found.append(rate_rotation(db, settings, runtime.clock()))
            found.append(rate_logouts(db, runtime.clock()))
            found += rate_registration_scopes(db, settings)
            own = frozenset(runtime.issuer + runtime.paths.path(name) for name in _OWN_REDIRECTS)
            found += rate_clients(_enabled_clients(db), runtime.clock(), settings, own)
            found += advise(_enabled_clients(db), settings.host)
            enabled = identity_providers.list_providers(db, enabled_only=True)
        found += [rate_provider(provider, settings) for provider in enabled]
        found += look_from_outside(settings, runtime.database, runtime.clock(), url)
    found += rate_settings(settings, runtime.limiter.described())
    runtime.database.close()
    show_all([asdict(finding) for finding in found], as_json=as_json)
    if any(finding.result == "fail" for finding in found):
        raise typer.Exit(1)


def _enabled_clients(db: Transaction) -> Iterator[clients.Client]:
    """Disabled clients do nothing, so nothing is said of them."""
    return (client for client in clients.each_client(db) if client.disabled_at is None)


def rate_provider(provider: IdentityProvider, settings: Settings) -> Finding:
    """Whether people can be sent to a provider whose button they see."""
    check = f"provider {provider.name}"
    if (reason := why_unusable(settings, provider.name, provider.issuer)) is None:
        return Finding(check, "ok", f"It answers at {provider.issuer}.")
    fix = f"oidc-server providers disable {provider.name} takes its button away"
    return Finding(check, "warn", f"{reason}; {fix}.")


def rate_rotation(db: Transaction, settings: Settings, now: datetime) -> Finding:
    """Whether keys were replaced in time; a server that runs does it by itself."""
    a_day_ago = now - signing_keys.PUBLISHED_AHEAD
    if late := signing_keys.due(db, a_day_ago, settings.key_rotation_interval):
        algorithms = ", ".join(late)
        return Finding("key rotation", "warn", f"Overdue for {algorithms}: oidc-server keys rotate")
    return Finding("key rotation", "ok", "No key is overdue for it.")


def rate_logouts(db: Transaction, now: datetime) -> Finding:
    """Whether clients heard of the ends of sessions (Back-Channel Logout §2.5)."""
    failed = logout_deliveries.failed_count(db, now - _LATELY)
    if not failed:
        return Finding("logouts", "ok", "None was given up in a week.")
    return Finding(
        "logouts",
        "warn",
        f"{failed} were given up in a week. (oidc-server logout-deliveries list --failed)",
    )
