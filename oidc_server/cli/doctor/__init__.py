"""`oidc-server doctor`: looks at what may be wrong, each line with its fix."""

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer

from oidc_server.cli.doctor.client_advice import advise
from oidc_server.cli.doctor.client_ratings import rate_clients
from oidc_server.cli.doctor.findings import Finding
from oidc_server.cli.open_files import shortage
from oidc_server.cli.output import Json, show_all
from oidc_server.clock import utc_now
from oidc_server.database import Transaction
from oidc_server.domain import clients, logout_deliveries, signing_keys
from oidc_server.settings import Settings, load

_SAFE_MEMORY_KIB = 19456
_LATELY = timedelta(days=7)
_LONG = timedelta(hours=1)
_PATIENCE = 5.0
_OWN_REDIRECTS = ("api_docs.signed_in",)
_FIXES = {
    "database": "Start it, or mend OIDC_DATABASE_URL.",
    "clock": "Synchronise both machines' clocks.",
    "signing key": "Mend OIDC_SECRET_KEY; the first keys are made by: oidc-server db upgrade",
}


def doctor(
    *,
    url: Annotated[
        str | None, typer.Option(help="Where to ask the server, instead of at its issuer.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at what may be wrong. It exits 1 when something has failed."""
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
            own = frozenset(runtime.issuer + runtime.paths.path(name) for name in _OWN_REDIRECTS)
            known = clients.list_clients(db)
            secrets = clients.newest_secrets(db)
            found += rate_clients(known, secrets, runtime.clock(), settings, own)
            found += advise(known, settings.host)
        found += look_from_outside(settings, runtime.database, runtime.clock(), url)
    found += rate_settings(settings)
    found.insert(-3, rate_limits(settings, runtime.limiter.described()))
    runtime.database.close()
    show_all([asdict(finding) for finding in found], as_json=as_json)
    if any(finding.result == "fail" for finding in found):
        raise typer.Exit(1)


def rate_settings(settings: Settings) -> list[Finding]:
    """What the settings leave open."""
    strong = settings.argon2_memory_kib >= _SAFE_MEMORY_KIB
    return [
        Finding("issuer", "warn", f"{settings.issuer} is for this machine only; set OIDC_ISSUER.")
        if settings.is_loopback
        else Finding("issuer", "ok", settings.issuer),
        rate_mail(settings),
        Finding("registration", "warn", "OIDC_REGISTRATION=open lets everybody in; set token.")
        if settings.registration == "open" and not settings.is_loopback
        else Finding("registration", "ok", f"It is {settings.registration}."),
        rate_origins(settings),
        Finding("passwords", "ok", "Argon2id costs enough.")
        if strong
        else Finding("passwords", "warn", f"Set OIDC_ARGON2_MEMORY_KIB to {_SAFE_MEMORY_KIB}."),
        Finding("access tokens", "ok", "They are short-lived.")
        if settings.access_token_lifetime <= _LONG
        else Finding(
            "access tokens",
            "warn",
            "A stolen one is good for more than an hour; set OIDC_ACCESS_TOKEN_LIFETIME to 10m.",
        ),
        rate_open_files(settings),
    ]


def rate_origins(settings: Settings) -> Finding:
    """Whose scripts may call us beside those of registered applications."""
    plain = [origin for origin in settings.cors_origins if origin.startswith("http:")]
    if plain and not settings.is_loopback:
        words = f"Whoever is on the way can change the scripts of {', '.join(plain)}"
        fix = "use https, or take it out of OIDC_CORS_ORIGINS"
        return Finding("origins", "warn", f"{words}; {fix}.")
    listed = len(settings.cors_origins)
    return Finding("origins", "ok", f"{listed} are listed, beside those of applications.")


def rate_open_files(settings: Settings) -> Finding:
    """Whether a process that is started from here may hold the connections that it should."""
    if (too_few := shortage(settings)) is not None:
        return Finding("open files", "warn", too_few)
    return Finding("open files", "ok", f"There may be {settings.max_connections} connections.")


def rate_mail(settings: Settings) -> Finding:
    """Whether a mail server takes us in; nothing is sent."""
    from oidc_server.outbound import mail  # noqa: PLC0415 - no other command needs it

    if settings.smtp_server is None:
        return Finding("mail", "warn", "No mail leaves; set OIDC_SMTP_URL.")
    try:
        mail.SmtpTransport(settings, timeout=_PATIENCE).greet()
    except (mail.MailUnavailableError, mail.MailRefusedError) as error:
        return Finding(
            "mail", "fail", f"The mail server does not take us: {error}; see OIDC_SMTP_URL."
        )
    return Finding("mail", "ok", f"{settings.smtp_server.host} takes mail from us.")


def rate_limits(settings: Settings, described: str) -> Finding:
    """Whether there are limits, and whether all processes hold them together."""
    if not settings.rate_limits:
        fix = "OIDC_RATE_LIMITS=off is for measurements only; set on."
        return Finding("limits", "warn", fix)
    if settings.redis_url is None:
        several = settings.database_url.startswith("postgresql")
        alone = f"Each process counts for itself, a minute: {described}."
        fix = " With several workers or nodes, set OIDC_REDIS_URL."
        return Finding("limits", "warn" if several else "ok", alone + fix)
    if not asyncio.run(_can_count(settings, settings.redis_url.get_secret_value())):
        fix = "Redis does not answer, so each process counts for itself; mend OIDC_REDIS_URL."
        return Finding("limits", "warn", fix)
    return Finding("limits", "ok", f"All count together, in Redis, a minute: {described}.")


async def _can_count(settings: Settings, redis_url: str) -> bool:
    from oidc_server.outbound.redis_counts import RedisCounts  # noqa: PLC0415 - as above

    counts = RedisCounts(settings, redis_url)
    try:
        return await counts.answers()
    finally:
        await counts.close()


def rate_rotation(db: Transaction, settings: Settings, now: datetime) -> Finding:
    """Whether keys were replaced in time; a server that runs does it by itself."""
    a_day_ago = now - signing_keys.PUBLISHED_AHEAD
    if late := signing_keys.due(db, a_day_ago, settings.key_rotation_interval):
        algorithms = ", ".join(late)
        return Finding("key rotation", "warn", f"Overdue for {algorithms}: oidc-server keys rotate")
    return Finding("key rotation", "ok", "The keys are young enough.")


def rate_logouts(db: Transaction, now: datetime) -> Finding:
    """Whether clients heard of the ends of sessions (Back-Channel Logout §2.5)."""
    failed = logout_deliveries.failed_count(db, now - _LATELY)
    if not failed:
        return Finding("logouts", "ok", "No client missed one lately.")
    return Finding(
        "logouts",
        "warn",
        f"{failed} were given up in a week. (oidc-server logout-deliveries list --failed)",
    )
