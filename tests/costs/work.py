"""Each operation whose cost is limited, ready to be done over and over."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from httpx2 import Response

from tests.browser import Browser
from tests.callers import Callers, make_callers
from tests.client_registration.registrations import register
from tests.factories import make_client, make_resource
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

Work = Callable[[], object]
_CREDITS = "/api/v1/credits"
_orders = count(1)


def operations(site: Site) -> Mapping[str, Work]:
    """By the names of the table of limits."""
    callers = make_callers(site, "credits:read credits:use credits:add")
    callers.move(f"{_CREDITS}/add", "service", user_id=callers.id_of("person"), **_order(1_000_000))
    return {
        "discovery": lambda: _good(site.http.get("/.well-known/openid-configuration")),
        "JWKS": lambda: _good(site.http.get("/jwks.json")),
        "dynamic registration": lambda: _good(register(site), 201),
        "balance": lambda: _good(callers.call("GET", f"{_CREDITS}/balance", "person")),
        "credits use": lambda: _use(callers),
        **_tokens(site),
        **_sign_ins(site),
    }


def _tokens(site: Site) -> dict[str, Work]:
    party, _, _, tokens = signed_in(site)
    service = RelyingParty(site, make_client(site, "service", scopes=("ledger:read",)))
    ledger = make_resource(site, "https://ledger.example.net/", "ledger:read")
    bearer = tokens["access_token"]
    latest = {"token": tokens["refresh_token"]}

    def refresh() -> None:
        latest["token"] = _good(party.refresh(latest["token"])).json()["refresh_token"]

    def introspect() -> None:
        assert party.introspect(bearer)["active"]

    return {
        "client credentials": lambda: _good(service.token(grant_type="client_credentials")),
        "client credentials for a resource": lambda: _good(
            service.token(grant_type="client_credentials", resource=ledger)
        ),
        "refresh": refresh,
        "userinfo": lambda: _good(party.userinfo(bearer)),
        "introspection": introspect,
    }


def _sign_ins(site: Site) -> dict[str, Work]:
    party, browser, person, _ = signed_in(site)
    codes: list[str] = []

    def authorize() -> None:
        codes.append(party.read(browser.client.get(party.url())).code)

    def redeem() -> None:
        _good(party.redeem(codes.pop()))

    def send_password() -> None:
        fresh = Browser(site.browser(), site.issuer)
        party.authorize(fresh, person)

    return {
        "authorize with a live session": authorize,
        "token for a code": redeem,
        "sign-in with the password": send_password,
    }


def _use(callers: Callers) -> None:
    _good(callers.move(f"{_CREDITS}/use", "person", **_order(1)))


def _order(amount: int) -> dict[str, Any]:
    return {"amount": str(amount), "reference_id": f"order-{next(_orders)}"}


def _good(response: Response, status: int = 200) -> Response:
    assert response.status_code == status, response.text
    return response
