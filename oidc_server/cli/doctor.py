"""`oidc-server doctor`: looks at what may be wrong, each line with its fix."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

import typer

from oidc_server.cli.output import Json, show_all
from oidc_server.clock import utc_now
from oidc_server.database import Transaction
from oidc_server.domain import clients, logout_deliveries, signing_keys
from oidc_server.settings import Settings, load

_SAFE_MEMORY_KIB = 19456
_LATELY = timedelta(days=7)
_FIXES = {
    "database": "Start it, or mend OIDC_DATABASE_URL.",
    "clock": "Synchronise both machines' clocks.",
    "migrations": "(oidc-server db upgrade)",
    "signing key": "Mend OIDC_SECRET_KEY; the first keys are made by: oidc-server db upgrade",
}


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and what to do."""

    check: str
    result: Literal["ok", "warn", "fail"]
    finding: str


def doctor(*, as_json: Json = False) -> None:
    """Look at what may be wrong. It exits 1 when something has failed."""
    from oidc_server.app import build_runtime  # noqa: PLC0415 - no other command needs it
    from oidc_server.health.checks import checks  # noqa: PLC0415 - as above
    from oidc_server.routes import ROUTES  # noqa: PLC0415 - as above

    settings = load()
    runtime = build_runtime(settings, utc_now, ROUTES)
    found = [
        Finding(check.name, "ok", check.finding)
        if check.ok
        else Finding(check.name, "fail", f"{check.finding} {_FIXES[check.name]}")
        for check in checks(runtime)
    ]
    if all(finding.result == "ok" for finding in found):
        with runtime.database.transaction("read") as db:
            found.append(rate_rotation(db, settings, runtime.clock()))
            found.append(rate_logouts(db, runtime.clock()))
            found += rate_clients(clients.list_clients(db))
    found += rate_settings(settings)
    found.insert(-2, rate_limits(settings, runtime.limiter.described()))
    runtime.database.close()
    show_all([asdict(finding) for finding in found], as_json=as_json)
    if any(finding.result == "fail" for finding in found):
        raise typer.Exit(1)


def rate_settings(settings: Settings) -> list[Finding]:
    """What the settings leave open."""
    mail = settings.smtp_server is not None
    strong = settings.argon2_memory_kib >= _SAFE_MEMORY_KIB
    return [
        Finding("issuer", "warn", f"{settings.issuer} is for this machine only; set OIDC_ISSUER.")
        if settings.is_loopback
        else Finding("issuer", "ok", settings.issuer),
        Finding("mail", "ok", "A mail server is set.")
        if mail
        else Finding("mail", "warn", "No mail leaves; set OIDC_SMTP_URL."),
        Finding("registration", "warn", "OIDC_REGISTRATION=open lets everybody in; set token.")
        if settings.registration == "open" and not settings.is_loopback
        else Finding("registration", "ok", f"It is {settings.registration}."),
        Finding("passwords", "ok", "Argon2id costs enough.")
        if strong
        else Finding("passwords", "warn", f"Set OIDC_ARGON2_MEMORY_KIB to {_SAFE_MEMORY_KIB}."),
    ]


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
    from oidc_server.outbound.shared_counts import SharedCounts  # noqa: PLC0415 - as above

    counts = SharedCounts(settings, redis_url)
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


def rate_clients(found: Sequence[clients.Client]) -> list[Finding]:
    """Clients against RFC 9700: a line for each that falls short, one for all others."""
    weak = [finding for client in found if (finding := _weakness(client)) is not None]
    if good := len(found) - len(weak):
        weak.append(Finding("clients", "ok", f"{good} of {len(found)} do as RFC 9700 asks."))
    return weak


def _weakness(client: clients.Client) -> Finding | None:
    name = f"client {client.client_id}"
    if not client.metadata.require_pkce:
        fix = "when it sends code_challenge, set require_pkce: oidc-server clients edit --metadata"
        return Finding(name, "warn", f"It may go without PKCE (RFC 9700 §2.1.1); {fix}")
    if client.allows_grant("password"):
        fix = "let people sign in with authorization_code instead."
        return Finding(name, "warn", f"It uses the password grant (RFC 9700 §2.4); {fix}")
    return None
