"""What clients could do better, though nothing is wrong: a line for each kind of advice.

RFC 9700 says SHOULD to these, or less. What it demands is rated in `client_ratings`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from oidc_server.cli.doctor.findings import Finding, edit_client, named
from oidc_server.domain.clients import Client

_NAMED = 3


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
        "authenticate with a secret that both sides know",
        "with private_key_jwt nobody can steal it here (RFC 9700 §2.5): "
        + edit_client(
            token_endpoint_auth_method="private_key_jwt",
            jwks_uri="https://app.example/jwks.json",
        ),
    ),
    _Advice(
        "sender constraint",
        lambda client, _host: not client.must_prove_key,
        "get tokens that anybody can use who has them",
        "set dpop_bound_access_tokens for those that send DPoP proofs (RFC 9700 §2.2.1): "
        + edit_client(dpop_bound_access_tokens=True),
    ),
    _Advice(
        "back-channel logout",
        _unheard,
        "are not told when somebody signs out or is shut out",
        "set backchannel_logout_uri, which needs no browser: "
        + edit_client(backchannel_logout_uri="https://app.example/logout"),
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
        "take may_exchange away where it is not needed (RFC 9700 §2.3): "
        + edit_client(may_exchange=False),
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


@dataclass
class _Concerned:
    """How many clients an advice is for, and the first few of them by name."""

    count: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, client: Client) -> None:
        self.count += 1
        if len(self.named) < _NAMED:
            self.named.append(named(client))

    def __str__(self) -> str:
        more = self.count - len(self.named)
        return ", ".join(self.named) + (f" and {more} more" if more else "")


def advise(enabled: Iterable[Client], host: str) -> list[Finding]:
    """Lines for these clients, none of which is kept; `host` is that of the issuer."""
    concerned = [_Concerned() for _ in _ALL]
    looked_at = 0
    for client in enabled:
        looked_at += 1
        for advice, so_far in zip(_ALL, concerned, strict=True):
            if advice.concerns(client, host):
                so_far.add(client)
    return [
        Finding(
            advice.check,
            "advice",
            f"{them.count} of {looked_at} clients {advice.words}: {them}; {advice.fix}",
        )
        for advice, them in zip(_ALL, concerned, strict=True)
        if them.count
    ]
