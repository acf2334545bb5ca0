"""What clients could do better, though nothing is wrong: a line for each kind of advice.

RFC 9700 says SHOULD to these, or less. What it demands is rated in `client_ratings`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from oidc_server.cli.doctor.findings import Finding
from oidc_server.domain.clients import Client

_NAMED = 3
_EDIT = "oidc-server clients edit CLIENT_ID --metadata FILE"


@dataclass(frozen=True)
class _Advice:
    """`concerns` tells whom; `words` say how it is, and `fix` what to do."""

    check: str
    concerns: Callable[[Client, str], bool]
    words: str
    fix: str


def _with_people(client: Client) -> bool:
    return client.allows_grant("authorization_code")


def _unheard(client: Client, _host: str) -> bool:
    return _with_people(client) and client.metadata.backchannel_logout_uri is None


def _is_below(client: Client, host: str) -> bool:
    hosts = (urlsplit(uri).hostname or "" for uri in client.metadata.redirect_uris)
    return any(name.endswith("." + host) for name in hosts)


def _has_own_scheme(client: Client, _host: str) -> bool:
    return any(not urlsplit(uri).netloc for uri in client.metadata.redirect_uris)


_ALL = (
    _Advice(
        "client authentication",
        lambda client, _host: client.metadata.has_client_secret,
        "prove themselves by a secret that both sides keep",
        f"with private_key_jwt there is nothing here to be stolen (RFC 9700 §2.5): {_EDIT}",
    ),
    _Advice(
        "sender constraint",
        lambda client, _host: not client.must_prove_key,
        "take tokens that are good to whoever has them",
        f"set dpop_bound_access_tokens for those that send DPoP proofs (RFC 9700 §2.2.1): {_EDIT}",
    ),
    _Advice(
        "back-channel logout",
        _unheard,
        "are not told when somebody signs out or is shut out",
        f"set backchannel_logout_uri, which needs no browser: {_EDIT}",
    ),
    _Advice(
        "introspection",
        lambda client, _host: client.metadata.may_introspect,
        "may introspect the tokens of everybody",
        "name the client of each resource server, and take may_introspect away (RFC 9700 §2.3):"
        " oidc-server resources edit IDENTIFIER --client CLIENT_ID",
    ),
    _Advice(
        "token exchange",
        lambda client, _host: client.metadata.may_exchange,
        "may exchange the tokens of other clients",
        f"take may_exchange away where it is not needed (RFC 9700 §2.3): {_EDIT}",
    ),
    _Advice(
        "names below ours",
        _is_below,
        "are at a host below that of the issuer",
        "whoever gets that name, by a forgotten DNS record, is same-site with our pages and may set"
        " cookies for them (RFC 9700 §4.1.1); use a name beside ours",
    ),
    _Advice(
        "private-use schemes",
        _has_own_scheme,
        "are called by a scheme of their own, which another app can claim too",
        "redirect to an https address that the app has claimed (RFC 8252 §7.2, §8.6)",
    ),
)


def advise(found: Sequence[Client], host: str) -> list[Finding]:
    """Lines for these clients; `host` is that of the issuer. Disabled clients do nothing."""
    enabled = [client for client in found if client.disabled_at is None]
    told = []
    for advice in _ALL:
        concerned = [client.client_id for client in enabled if advice.concerns(client, host)]
        if concerned:
            count = f"{len(concerned)} of {len(enabled)} clients"
            words = f"{count} {advice.words} ({_listed(concerned)}); {advice.fix}"
            told.append(Finding(advice.check, "advice", words))
    return told


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
