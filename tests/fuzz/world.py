"""A server where every kind of client and credential exists, so that food can be nearly good."""

import base64
from dataclasses import dataclass, field
from typing import Any

from oidc_server.domain import trusted_issuers
from oidc_server.security.jose import SigningKey
from tests.browser import Browser, Page
from tests.client_assertions import claims_for, key_set, sign
from tests.client_registration.registrations import registered
from tests.device.devices import DEVICE_CODE, Device
from tests.dpop import Proofs, proofs_for
from tests.factories import App, Person, make_client, make_resource, make_user
from tests.relying_party import RelyingParty
from tests.site import Site

AFTER_LOGOUT = "https://app.example.net/bye"
WITH_QUERY = "https://app.example.net/callback?tenant=1"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TRUSTED_ISSUER = "https://people.example.org"
RESOURCE = "https://api.example.net/"


@dataclass
class World:
    """What exists. `values` are good values by parameter, `secrets` what no refusal may show."""

    site: Site
    person: Person
    party: RelyingParty
    browser: Browser
    clients: dict[str, App]
    key: SigningKey
    device: Device
    proofs: Proofs
    values: dict[str, list[str]] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    redirect_uris: set[str] = field(default_factory=set)
    cookie: str = ""
    csrf_token: str = ""
    request_id: str = ""

    def code(self) -> str:
        """A fresh authorization code, without a question to the person."""
        answer = self.party.read(self.browser.client.get(self.party.url(prompt="none")))
        if answer.error is not None:  # some request was good enough to sign the person out
            self.person = make_user(self.site)
            answer = self.party.authorize(self.browser, self.person)
        self.secrets.add(answer.code)
        return answer.code

    def request_uri(self) -> str:
        """Where a fresh pushed authorization request of the same client is."""
        pushed: str = self.party.post("/par", **self.party.parameters()).json()["request_uri"]
        return pushed

    def device_codes(self) -> dict[str, str]:
        """The fresh codes of a device: `device_code` and `user_code`."""
        codes: dict[str, str] = self.device.ask()
        self.secrets.add(codes["device_code"])
        return codes

    def proof(self, path: str) -> str:
        """A fresh DPoP proof for that address."""
        return self.proofs.make(path=path)

    def assertion(self, **changes: Any) -> str:
        """A fresh client assertion of the client that signs."""
        client_id, site = self.clients["signing"].client_id, self.site
        claims = claims_for(client_id, site.issuer, site.clock.now, **changes)
        return sign(self.key, claims)

    def authentication(
        self, name: str
    ) -> tuple[tuple[tuple[str, str], ...], list[tuple[str, str]]]:
        """How that client proves itself: headers and fields."""
        app = self.clients[name]
        if name == "signing":
            return (), [
                ("client_assertion_type", self.values["client_assertion_type"][0]),
                ("client_assertion", self.assertion()),
            ]
        if app.client_secret is None:
            return (), [("client_id", app.client_id)]
        if name == "post":
            return (), [("client_id", app.client_id), ("client_secret", app.client_secret)]
        pair = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
        return (("authorization", f"Basic {pair}"),), []


def build(site: Site) -> World:
    """Make the clients, sign the person in, and collect one of everything."""
    key = SigningKey.generate("ES256")
    make_resource(site, RESOURCE, "things")
    _trust(site, key)
    clients = _clients(site, key)
    person, browser = make_user(site), Browser(site.browser(), site.issuer)
    party = RelyingParty(site, clients["basic"])
    answer = party.authorize(browser, person, scope="openid email profile offline_access")
    tokens = party.redeem(answer.code).json()
    device = Device(site, clients["device"])
    world = World(site, person, party, browser, clients, key, device, proofs_for(site))
    waiting = Browser(site.browser(), site.issuer)
    page = Page(waiting.go(party.url(prompt="login")))
    world.request_id = page.hidden()["request_id"]
    world.csrf_token = page.hidden()["csrf_token"]
    jar = [*browser.client.cookies.jar, *waiting.client.cookies.jar]
    # The session of one browser and the mark of the other: both kinds of page open.
    world.cookie = "; ".join({c.name: f"{c.name}={c.value}" for c in jar}.values())
    world.values = _values(world, tokens)
    world.redirect_uris = set(world.values["redirect_uri"]) | {AFTER_LOGOUT}
    registration = registered(site)
    world.values["registration"] = [registration["registration_access_token"]]
    world.values["path client_id"] = [registration["client_id"]]
    world.secrets |= {
        *(tokens[name] for name in ("access_token", "refresh_token", "id_token")),
        *(app.client_secret for app in clients.values() if app.client_secret),
        *(c.value for c in jar if c.value and c.name.endswith("sid")),
        registration["registration_access_token"],
        registration["client_secret"],
        person.password,
    }
    return world


def _trust(site: Site, key: SigningKey) -> None:
    """Make the key of the clients also that of an issuer that speaks for users."""
    with site.db() as db:
        trusted_issuers.add(
            db,
            issuer=TRUSTED_ISSUER,
            jwks=key_set(key),
            jwks_uri=None,
            audience=None,
            subject="sub",
            now=site.clock.now,
        )


def _clients(site: Site, key: SigningKey) -> dict[str, App]:
    everything: dict[str, Any] = {
        "redirect_uris": ("https://app.example.net/callback", WITH_QUERY),
        "post_logout_redirect_uris": (AFTER_LOGOUT,),
        "jwks": key_set(key),
    }
    service: dict[str, Any] = {"scopes": ("openid", "profile", "things")}
    return {
        "basic": make_client(site, may_introspect=True, **everything),
        "post": make_client(site, token_endpoint_auth_method="client_secret_post"),
        "signing": make_client(
            site,
            "service",
            token_endpoint_auth_method="private_key_jwt",
            jwks=key_set(key),
            scopes=("things",),
        ),
        "public": make_client(site, "spa"),
        "service": make_client(site, "service", scopes=("things",)),
        "device": make_client(
            site, "native", redirect_uris=(), grant_types=(DEVICE_CODE, "refresh_token")
        ),
        "exchanging": make_client(
            site, "service", grant_types=(EXCHANGE,), may_exchange=True, **service
        ),
        "speaking": make_client(site, "service", grant_types=(JWT_BEARER,), **service),
        "trusted": make_client(site, grant_types=("password", "refresh_token")),
    }


def _values(world: World, tokens: dict[str, Any]) -> dict[str, list[str]]:
    party, clients = world.party, world.clients
    site, client_id = world.site, party.app.client_id
    signed = claims_for(client_id, site.issuer, site.clock.now, sub=None)
    spoken = claims_for(world.person.id, site.issuer, site.clock.now, iss=TRUSTED_ISSUER)
    every_token = [tokens[name] for name in ("access_token", "refresh_token", "id_token")]
    return {
        "response_type": ["code"],
        "response_mode": ["query", "fragment", "form_post", "jwt"],
        "client_id": [app.client_id for app in clients.values()],
        "client_secret": [app.client_secret for app in clients.values() if app.client_secret],
        "redirect_uri": ["https://app.example.net/callback", WITH_QUERY],
        "scope": ["openid profile email", "openid offline_access", "things", "email"],
        "state": [party.state],
        "nonce": [party.nonce],
        "code_challenge": [party.challenge],
        "code_challenge_method": ["S256", "plain"],
        "code_verifier": [party.verifier],
        "prompt": ["none", "login", "consent", "select_account", "create"],
        "max_age": ["0", "3600"],
        "ui_locales": ["de en"],
        "login_hint": [world.person.username],
        "id_token_hint": [tokens["id_token"]],
        "acr_values": ["urn:example:acr"],
        "display": ["page", "popup"],
        "claims": ['{"userinfo":{"email":null},"id_token":{"auth_time":{"essential":true}}}'],
        "request": [world.key.sign({**party.parameters(), **signed}), every_token[2]],
        "request_uri": ["urn:ietf:params:oauth:request_uri:x", "https://app.example.net/request"],
        "resource": [RESOURCE, world.site.issuer],
        "authorization_details": ['[{"type":"x"}]'],
        "grant_type": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "password",
            *(DEVICE_CODE, JWT_BEARER, EXCHANGE),
        ],
        "code": ["unknown-code"],
        "refresh_token": [tokens["refresh_token"]],
        "access_token": [tokens["access_token"]],
        "device_code": ["unknown-device-code"],
        "user_code": ["WDJB-MJHT"],
        "assertion": [world.key.sign(spoken), every_token[2]],
        "username": [world.person.username, world.person.email],
        "password": [world.person.password],
        "token": every_token,
        "token_type_hint": ["access_token", "refresh_token"],
        "client_assertion_type": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
        "client_assertion": [world.assertion()],
        "subject_token": every_token,
        "subject_token_type": ["urn:ietf:params:oauth:token-type:access_token"],
        "actor_token": every_token,
        "actor_token_type": ["urn:ietf:params:oauth:token-type:access_token"],
        "requested_token_type": ["urn:ietf:params:oauth:token-type:access_token"],
        "audience": [RESOURCE],
        "dpop_jkt": ["0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"],
        "post_logout_redirect_uri": [AFTER_LOGOUT],
        "logout_hint": [world.person.username],
        "csrf_token": [world.csrf_token],
        "request_id": [world.request_id],
        "decision": ["allow", "deny"],
        "sid": ["x"],
        "email": ["somebody@example.com"],
        "name": ["Somebody"],
        "link": ["x.y"],
    }
