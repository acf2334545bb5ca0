"""The server as others see it, through the proxy: its name, its certificate, their addresses."""

import secrets
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import httpx2

from oidc_server.cli.doctor.findings import Finding
from oidc_server.database import Database
from oidc_server.domain import audit_trail
from oidc_server.domain.audit import Event
from oidc_server.domain.audit_trail import Filter
from oidc_server.settings import Settings

_FORGED = "192.0.2.66"
"""Nobody has this address (RFC 5737): if the server sees it, it believed what a client sent."""
_DISCOVERY = "/.well-known/openid-configuration"
_SECONDS = 5
_MOST = 200
"""Refusals that others may have caused meanwhile."""
_SOON = timedelta(days=14)
_FIX_ADDRESS = (
    "have the proxy set X-Forwarded-For itself, and list its address and no more in"
    " OIDC_TRUSTED_PROXIES"
)

_FIX_CERTIFICATE = {10: "renew it", 62: "get one for this name", 64: "get one for this address"}
"""By what OpenSSL calls expired, and a mismatch of the name or of the address."""
_FIX_CHAIN = "have the proxy send one by an authority that all know, with the certificates between"


def look_from_outside(
    settings: Settings, database: Database, now: datetime, url: str | None = None
) -> list[Finding]:
    """Ask the server at its issuer, or at `url`, as a client does.

    It is asked for a token for a client that does not exist, which leaves a line in the audit log:
    there the server says which address it saw.
    """
    address = (url or settings.issuer).rstrip("/")
    try:
        with httpx2.Client(
            verify=ssl.create_default_context(), timeout=_SECONDS, trust_env=False
        ) as http:
            found = list(_look_at_discovery(http, address, settings, now))
            if all(finding.result == "ok" for finding in found):
                found.append(_look_at_cookies(http, address, settings))
                found.append(_look_at_addresses(http, address, settings, database, now))
            return found
    except httpx2.TransportError as error:
        refused = _refused_certificate(error)
        if refused is not None:
            return [Finding("TLS", "fail", _of_refused(address, refused))]
        reason = str(error) or type(error).__name__
        fix = "start the server, or correct the name or the proxy"
        return [Finding("reached", "warn", f"Nobody answers at {address} ({reason}); {fix}.")]


def _refused_certificate(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _of_refused(address: str, error: ssl.SSLCertVerificationError) -> str:
    why = error.verify_message.rstrip(".")
    fix = _FIX_CERTIFICATE.get(error.verify_code, _FIX_CHAIN)
    return f"Clients refuse the certificate of {address} ({why}); {fix}."


def _look_at_discovery(
    http: httpx2.Client, address: str, settings: Settings, now: datetime
) -> Iterator[Finding]:
    with http.stream("GET", address + _DISCOVERY) as answer:
        ends = _end_of_certificate(answer)
        answer.read()
    if answer.status_code != 200:
        said = f"{address}{_DISCOVERY} answers {answer.status_code}"
        fix = "have the proxy pass every path on as it is"
        yield Finding("reached", "fail", f"{said}; {fix}.")
        return
    yield Finding("reached", "ok", f"It answers at {address}.")
    issuer = _issuer_in(answer)
    if issuer == settings.issuer:
        yield Finding("issuer seen", "ok", "Clients see the issuer of the settings.")
    else:
        fix = "set the same OIDC_ISSUER on every node, or correct where the proxy leads"
        yield Finding(
            "issuer seen", "fail", f"Clients see {issuer!r}, not {settings.issuer}; {fix}."
        )
    if ends is not None:
        left = (ends - now).days
        soon = ends - now < _SOON
        words = f"The certificate ends in {left} days" + ("; renew it." if soon else ".")
        yield Finding("TLS", "warn" if soon else "ok", words)
    if settings.secure_cookies and address.startswith("https:"):
        told = answer.headers.get_list("strict-transport-security")
        if len(told) != 1:
            fix = "let the proxy leave the headers of answers alone"
            yield Finding(
                "TLS", "warn", f"Strict-Transport-Security comes {len(told)} times; {fix}."
            )


def _end_of_certificate(answer: httpx2.Response) -> datetime | None:
    stream = answer.extensions.get("network_stream")
    connection = stream.get_extra_info("ssl_object") if stream is not None else None
    if connection is None:
        return None
    ends = ssl.cert_time_to_seconds(connection.getpeercert()["notAfter"])
    return datetime.fromtimestamp(ends, UTC)


def _issuer_in(answer: httpx2.Response) -> object:
    try:
        return answer.json().get("issuer")
    except (ValueError, AttributeError):
        return None


def _look_at_cookies(http: httpx2.Client, address: str, settings: Settings) -> Finding:
    """Whether a cookie of ours arrives as it was sent."""
    told = http.get(address + "/password-reset").headers.get_list("set-cookie")
    if not told:
        return Finding("cookies", "fail", "No cookie arrives; let the proxy pass Set-Cookie on.")
    wanted = ["HttpOnly", "SameSite", *(["Secure"] if settings.secure_cookies else [])]
    lost = {word for word in wanted for cookie in told if word.lower() not in cookie.lower()}
    if lost or (settings.secure_cookies and not all(c.startswith("__Host-") for c in told)):
        words = f"They arrive without {' and '.join(sorted(lost)) or '__Host-'}"
        return Finding("cookies", "fail", f"{words}; let the proxy leave them as they are.")
    return Finding("cookies", "ok", "They arrive as they were sent.")


def _look_at_addresses(
    http: httpx2.Client, address: str, settings: Settings, database: Database, now: datetime
) -> Finding:
    """Whether a client can choose the address that limits and the audit log see."""
    us = f"oidc-server doctor {secrets.token_hex(8)}"
    with http.stream(
        "POST",
        address + "/token",
        data={"grant_type": "client_credentials"},
        auth=("doctor", "none"),
        headers={"X-Forwarded-For": _FORGED, "Forwarded": f"for={_FORGED}", "User-Agent": us},
    ) as answer:
        ours = _own_address(answer)
        answer.read()
    wanted = Filter(event=Event.CLIENT_REFUSED.value, since=now - timedelta(minutes=5))
    with database.transaction("read") as db:
        told = audit_trail.search(db, wanted, limit=_MOST)
    seen = [entry for entry in told if entry.user_agent == us]
    if not seen:
        fix = "set the same OIDC_DATABASE_URL here and on every node"
        return Finding("addresses", "fail", f"A request is not in this database; {fix}.")
    came_from = seen[0].address
    if came_from == _FORGED and ours is not None and _is_proxy(ours, settings):
        return _from_a_proxy(ours)  # which the server has to believe
    if came_from == _FORGED:
        return Finding("addresses", "fail", f"A client can choose its address; {_FIX_ADDRESS}.")
    if settings.secure_cookies and not settings.trusted_proxies:
        fix = f"set OIDC_TRUSTED_PROXIES={came_from}"
        return Finding(
            "addresses",
            "warn",
            f"All requests seem to come from one proxy, {came_from}; if it is one, {fix}.",
        )
    if _is_proxy(came_from, settings):
        return _from_a_proxy(came_from)
    return Finding("addresses", "ok", f"No client can choose its own; this one is {came_from}.")


def _own_address(answer: httpx2.Response) -> str | None:
    """Where the connection begins, as whoever it ends at sees it if nothing is between."""
    stream = answer.extensions.get("network_stream")
    begins = stream.get_extra_info("client_addr") if stream is not None else None
    return None if begins is None else str(begins[0])


def _is_proxy(address: str, settings: Settings) -> bool:
    return any(ip_address(address) in network for network in settings.trusted_proxies)


def _from_a_proxy(address: str) -> Finding:
    return Finding(
        "addresses",
        "warn",
        f"This request seems to come from a proxy, {address}, or from its machine: if doctor"
        f" runs there, run it elsewhere; if not, {_FIX_ADDRESS}.",
    )
