"""Where the server is, and which addresses it trusts."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from oidc_server.settings import values
from oidc_server.settings.model.group import Group
from oidc_server.settings.values import IPNetwork


def _check_hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    for host in value:
        if not values.is_host(host):
            raise ValueError(f"{host!r} is no name of a host; leave scheme and port out")
    return tuple(host.lower().strip("[]") for host in value)


def _check_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(values.check_origin(origin) for origin in value)


class AddressSettings(Group):
    """Where the server is."""

    issuer: Annotated[str, AfterValidator(values.check_issuer)] = Field(
        json_schema_extra={"default": "`http://localhost:<port>` when bound to loopback"}
    )
    """Address at which people and applications reach this server. It is in every token, so it
    should never change. https, or http on localhost: then `serve` listens on its port."""

    trusted_proxies: Annotated[tuple[IPNetwork, ...], BeforeValidator(values.parse_networks)] = ()
    """Networks of the reverse proxies whose `X-Forwarded-For` is trusted, separated by commas."""

    trusted_hosts: Annotated[tuple[str, ...], values.TextList, AfterValidator(_check_hosts)] = ()
    """Further values of `Host` that requests may have, separated by commas: for a proxy that does
    not pass on the original `Host`. Others get 421."""

    cors_origins: Annotated[tuple[str, ...], values.TextList, AfterValidator(_check_origins)] = ()
    """Origins such as `https://app.example.com`, separated by commas, whose scripts may call the
    API and the protocol endpoints, in addition to registered single-page applications. Cookies are
    never accepted from them; discovery and JWKS are open to every origin."""

    outbound_allow: Annotated[tuple[IPNetwork, ...], BeforeValidator(values.parse_networks)] = ()
    """Private networks, separated by commas, that the server may connect to for addresses that
    clients name (`jwks_uri` and the like). By default only public addresses are contacted."""

    @property
    def host(self) -> str:
        """The host of the issuer, without its port."""
        return values.issuer_host(self.issuer)

    @property
    def is_loopback(self) -> bool:
        """Whether the issuer is this machine only."""
        return values.is_loopback_host(values.issuer_host(self.issuer))

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are `Secure` and named `__Host-…`: whenever the issuer is https."""
        return self.issuer.startswith("https://")
