"""The rest of the day: clients that register, push, sign and prove, and a device."""

from oidc_server.clock import utc_now
from oidc_server.security.jose import SigningKey
from tests.client_assertions import assertion_fields, claims_for, key_set, sign
from tests.device.devices import GRANTS, Device, connect
from tests.dpop import proofs_by_real_time
from tests.factories import REDIRECT_URI, App
from tests.faults.whole_flow import Day
from tests.relying_party import RelyingParty

_KEY = SigningKey.generate("ES256")
_WRONG = "wrong-{}-0123456789abcdefghijklmnopqrstuvwxyz"


def live_on(day: Day) -> None:
    """Use what `live_a_day` does not, fail at it, and leave some of it open."""
    made = day.deployment.command_line.answer("registration-tokens", "create", "--uses", "9")
    day.initial_access_token = made["initial_access_token"]
    day.note(initial_access_token=day.initial_access_token)
    _push(day)
    _sign(day)
    _prove(day)
    _connect_a_device(day)
    _fail(day)


def _registered(day: Day, **members: object) -> App:
    """A client that registered itself."""
    answer = day.deployment.http.post(
        "/register",
        json={"client_name": "Guest", "redirect_uris": [REDIRECT_URI], **members},
        headers={"authorization": f"Bearer {day.initial_access_token}"},
    )
    assert answer.status_code == 201, answer.text
    found = answer.json()
    day.registered_id = found["client_id"]
    day.registration_access_token = found["registration_access_token"]
    day.note(
        registration_access_token=day.registration_access_token,
        client_secret=found.get("client_secret"),
    )
    return App(found["client_id"], found.get("client_secret"), REDIRECT_URI)


def _push(day: Day) -> None:
    party, browser = day.party, day.deployment.browser()
    for _ in range(2):
        answer = party.post("/par", **party.parameters())
        assert answer.status_code == 201, answer.text
        day.request_uri = answer.json()["request_uri"]
        day.note(request_uri=day.request_uri.rpartition(":")[2])
        if not browser.client.cookies:
            browser.go(f"/authorize?client_id={party.app.client_id}&request_uri={day.request_uri}")


def _sign(day: Day) -> None:
    """A secret that signs, a key that signs, and a request object."""
    http, issuer, now = day.deployment.http, day.deployment.issuer, utc_now()
    secretive = _registered(day, token_endpoint_auth_method="client_secret_jwt")
    keyed = _registered(day, token_endpoint_auth_method="private_key_jwt", jwks=key_set(_KEY))
    for app, key in ((secretive, secretive.client_secret or ""), (keyed, _KEY)):
        assertion = sign(key, claims_for(app.client_id, issuer, now))
        party = RelyingParty(day.deployment, app)
        fields = assertion_fields(assertion, **party.parameters())
        answers = [http.post("/par", data=fields).status_code for _ in range(2)]
        assert answers == [201, 401]
        day.note(assertion=assertion)
    party = RelyingParty(day.deployment, keyed)
    claims = {**party.parameters(), "iss": keyed.client_id, "aud": issuer}
    request = sign(_KEY, claims)
    query = {"client_id": keyed.client_id, "request": request}
    assert http.get("/authorize", params=query).status_code == 303
    assert http.get("/authorize", params={**query, "request": request[:-9]}).status_code == 400
    day.note(request_object=request)


def _prove(day: Day) -> None:
    service, proof = day.service, proofs_by_real_time(day.deployment.issuer).make()
    assert service.client_secret is not None
    for status in (200, 400):
        answer = day.deployment.http.post(
            "/token",
            data={"grant_type": "client_credentials"},
            auth=(service.client_id, service.client_secret),
            headers={"dpop": proof},
        )
        assert answer.status_code == status, answer.text
        day.note(access_token=answer.json().get("access_token"))
    day.note(proof=proof)


def _connect_a_device(day: Day) -> None:
    app = _registered(
        day,
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=[],
        grant_types=list(GRANTS),
    )
    device = Device(day.deployment, app)
    device.ask()
    day.note(device_code=device.shown["device_code"], user_code=device.shown["user_code"])
    device.error()
    connect(day.deployment.browser(), day.person, device.shown["user_code"])
    tokens = device.poll().json()
    day.note(**{name: tokens[name] for name in ("access_token", "refresh_token", "id_token")})
    day.device = device
    device.ask()
    day.note(device_code=device.shown["device_code"], user_code=device.shown["user_code"])


def _fail(day: Day) -> None:
    """Secrets that are wrong, or in a wrong place."""
    http, device, browser = day.deployment.http, day.device, day.deployment.browser()
    assert device is not None
    wrong = {name: _WRONG.format(name) for name in ("device", "management", "assertion", "proof")}
    day.note(**wrong)
    device.poll(device_code=wrong["device"])
    http.get(f"/token?device_code={wrong['device']}")
    http.get(
        f"/register/{day.registered_id}",
        headers={"authorization": f"Bearer {wrong['management']}"},
    )
    http.get(f"/register/{day.registered_id}?token={wrong['management']}")
    http.post("/par", data=assertion_fields(wrong["assertion"]))
    http.get("/userinfo", headers={"authorization": "DPoP x", "dpop": wrong["proof"]})
    browser.send(browser.go("/device"), user_code=wrong["device"])
