"""What the settings leave open, and whether the external services that they name answer."""

import asyncio
from datetime import timedelta

from oidc_server.cli import scopes
from oidc_server.cli.doctor.findings import Finding
from oidc_server.database import Transaction
from oidc_server.serving.open_files import shortage
from oidc_server.settings import Settings

_SAFE_MEMORY_KIB = 19456
_LONG = timedelta(hours=1)
_LOCAL_ISSUER = (
    "is for this machine only; set OIDC_ISSUER to the https address that people will use."
)
_PATIENCE = 5.0


def rate_settings(settings: Settings, limits: str) -> list[Finding]:
    """What the settings leave open; `limits` are those of requests, in words."""
    strong = settings.argon2_memory_kib >= _SAFE_MEMORY_KIB
    return [
        Finding("issuer", "warn", f"{settings.issuer} {_LOCAL_ISSUER}")
        if settings.is_loopback
        else Finding("issuer", "ok", settings.issuer),
        rate_mail(settings),
        Finding(
            "registration",
            "warn",
            "OIDC_REGISTRATION=open lets anybody register a client; set token.",
        )
        if settings.registration == "open" and not settings.is_loopback
        else Finding("registration", "ok", f"It is {settings.registration}."),
        rate_origins(settings),
        rate_limits(settings, limits),
        Finding("passwords", "ok", "Argon2id costs enough.")
        if strong
        else Finding("passwords", "warn", f"Set OIDC_ARGON2_MEMORY_KIB to {_SAFE_MEMORY_KIB}."),
        Finding("access tokens", "ok", "They are short-lived.")
        if settings.access_token_lifetime <= _LONG
        else Finding(
            "access tokens",
            "warn",
            "A stolen one works for more than an hour; set OIDC_ACCESS_TOKEN_LIFETIME to 10m.",
        ),
        rate_open_files(settings),
    ]


def rate_registration_scopes(db: Transaction, settings: Settings) -> list[Finding]:
    """Whether the scopes that clients may register with are there: a misspelt one gives nothing."""
    return [
        Finding("registration scopes", "warn", f"OIDC_REGISTRATION_SCOPES: {problem}")
        for problem in scopes.unknown(db, settings.registration_scopes)
    ]


def rate_origins(settings: Settings) -> Finding:
    """Whose scripts may call us beside those of registered applications."""
    plain = [origin for origin in settings.cors_origins if origin.startswith("http:")]
    if plain and not settings.is_loopback:
        words = f"Anybody on the network can change the scripts of {', '.join(plain)}"
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
    """Whether the mail server accepts our sign-in; nothing is sent."""
    from oidc_server.outbound import mail  # noqa: PLC0415 - no other command needs it

    if settings.smtp_server is None:
        return Finding("mail", "warn", "No mail is sent; set OIDC_SMTP_URL.")
    try:
        mail.SmtpTransport(settings, timeout=_PATIENCE).greet()
    except (mail.MailUnavailableError, mail.MailRefusedError) as error:
        return Finding(
            "mail", "fail", f"The mail server cannot be used: {error}; see OIDC_SMTP_URL."
        )
    return Finding("mail", "ok", f"{settings.smtp_server.host} takes mail from us.")


def rate_limits(settings: Settings, limits: str) -> Finding:
    """Whether there are limits, and whether all processes share them."""
    if not settings.rate_limits:
        fix = "OIDC_RATE_LIMITS=off is for measurements only; set on."
        return Finding("limits", "warn", fix)
    if settings.redis_url is None:
        several = settings.database_url.startswith("postgresql")
        alone = f"Each process counts by itself, per minute: {limits}."
        fix = " With several workers or nodes, set OIDC_REDIS_URL."
        return Finding("limits", "warn" if several else "ok", alone + fix)
    if not asyncio.run(_can_count(settings, settings.redis_url.get_secret_value())):
        fix = "Redis does not answer, so each process counts by itself; correct OIDC_REDIS_URL."
        return Finding("limits", "warn", fix)
    return Finding("limits", "ok", f"All processes count together in Redis, per minute: {limits}.")


async def _can_count(settings: Settings, redis_url: str) -> bool:
    from oidc_server.outbound.redis_counts import RedisCounts  # noqa: PLC0415 - as above

    counts = RedisCounts(settings, redis_url)
    try:
        return await counts.answers()
    finally:
        await counts.close()
