"""RFC 8693: OAuth 2.0 Token Exchange."""

import pytest
from sqlalchemy import select

from oidc_server.domain import clients, endings
from oidc_server.domain.audit import AuditEvent
from tests.dpop import ProvingParty, proofs_for
from tests.factories import make_client, make_resource
from tests.relying_party import RelyingParty, signed_in
from tests.tokens import claims_of
from tests.wire import row_counts

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
API = "https://api.example.net"
LEDGERS = "https://ledgers.example.net"
SECTOR = "https://sector.example.net/uris.json"
SCOPES = ("openid", "profile", "email", "offline_access", "ledgers.read")


def exchanger(site, **changes):
    values = {"grant_types": (EXCHANGE, "client_credentials"), "scopes": SCOPES, **changes}
    return RelyingParty(site, make_client(site, "service", **values))


class Front(RelyingParty):
    """A client, the person who signed in to it, and the tokens it got."""

    def __init__(self, party, browser, person, tokens):
        super().__init__(party.site, party.app)
        self.browser, self.person, self.tokens = browser, person, tokens


@pytest.fixture
def front(site):
    """A web application after a sign-in, with its tokens; it may exchange its own."""
    make_resource(site, API)
    make_resource(site, LEDGERS, "ledgers.read")
    grant_types = ("authorization_code", "refresh_token", EXCHANGE)
    return Front(*signed_in(site, grant_types=grant_types, scopes=SCOPES))


@pytest.fixture
def back(site):
    """A service that may exchange the tokens of others."""
    return exchanger(site, may_exchange=True)


def ask(party, token, **changes):
    fields = {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        **changes,
    }
    return party.token(**{name: value for name, value in fields.items() if value is not None})


def refused(answer, error="invalid_request"):
    assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text


def exchanged(party, token, **changes):
    answer = ask(party, token, **changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


def own_token(party):
    return party.token(grant_type="client_credentials").json()["access_token"]


def test_a_token_is_exchanged_for_one_with_another_audience_and_less_scope(site, front, back):
    """§2.2.1."""
    body = exchanged(back, front.tokens["access_token"], resource=LEDGERS, scope="profile")

    claims = claims_of(body.pop("access_token"))
    assert body == {
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "profile",
    }
    assert (claims["aud"], claims["scope"]) == (LEDGERS, "profile")
    assert (claims["sub"], claims["client_id"]) == (front.person.id, back.app.client_id)
    assert claims["auth_time"] == claims_of(front.tokens["access_token"])["auth_time"]
    assert {"act", "sid"}.isdisjoint(claims)


def test_audience_names_a_target_too_and_both_may_be_several(front, back):
    """§2.1."""
    body = exchanged(back, front.tokens["access_token"], resource=LEDGERS, audience=API)

    assert claims_of(body["access_token"])["aud"] == [LEDGERS, API]


def test_a_client_exchanges_a_token_of_its_own(front):
    body = exchanged(front, front.tokens["access_token"], scope="openid profile")

    assert "id_token" not in body
    assert "refresh_token" not in body
    assert front.userinfo(body["access_token"]).json()["sub"] == front.person.id


@pytest.mark.parametrize("target", ["https://unknown.example", "not an address"])
def test_a_target_that_is_not_registered_is_refused(front, back, target):
    """§2.2.2."""
    refused(ask(back, front.tokens["access_token"], resource=target), "invalid_target")
    refused(ask(back, front.tokens["access_token"], audience=target), "invalid_target")


def test_what_we_tell_of_a_person_is_no_target_for_another_client(site, front, back):
    token = front.tokens["access_token"]

    refused(ask(back, token, resource=site.issuer), "invalid_target")
    refused(ask(back, token), "invalid_target")
    refused(ask(back, token, audience=front.app.client_id), "invalid_target")


def test_a_second_exchange_reaches_what_we_tell_of_a_person_no_more_than_the_first(
    site, front, back
):
    """The token of the first exchange is the other client's own, the person's leave is not."""
    hop = exchanged(back, front.tokens["access_token"], resource=API)["access_token"]

    refused(ask(back, hop, resource=site.issuer), "invalid_target")
    refused(ask(back, hop, audience=[API, site.issuer]), "invalid_target")
    assert back.userinfo(hop).status_code == 401


def test_scope_only_becomes_less(site, front, back):
    token = exchanged(front, front.tokens["access_token"], scope="profile")["access_token"]
    narrow = exchanger(site, may_exchange=True, scopes=("email",))

    refused(ask(back, token, resource=API, scope="profile email"), "invalid_scope")
    refused(ask(narrow, token, resource=API, scope="profile"), "invalid_scope")
    refused(ask(back, token, resource=API, scope="ledgers.read"), "invalid_scope")
    assert exchanged(back, token, resource=API)["scope"] == "profile"


def test_a_token_of_another_client_needs_the_operators_leave(site, front):
    refused(ask(exchanger(site), front.tokens["access_token"], resource=API))


def test_a_resource_server_exchanges_what_it_was_sent(site, front):
    server = exchanger(site)
    mine = make_resource(site, "https://mine.example.net", client_id=server.app.client_id)
    sent = exchanged(front, front.tokens["access_token"], resource=mine)["access_token"]

    body = exchanged(server, sent, resource=LEDGERS)

    assert claims_of(body["access_token"])["aud"] == LEDGERS
    refused(ask(server, front.tokens["access_token"], resource=LEDGERS))


def test_a_bound_token_is_exchanged_with_a_proof_of_its_key_only(site, front, back):
    """RFC 9449 §5: the new one is bound to the same key."""
    proving = ProvingParty(site, front.app, proofs_for(site))
    stranger = ProvingParty(site, front.app, proofs_for(site))
    bound = exchanged(proving, front.tokens["access_token"])["access_token"]

    body = exchanged(proving, bound)

    assert body["token_type"] == "DPoP"
    assert claims_of(body["access_token"])["cnf"] == {"jkt": proving.jkt}
    for party in (front, stranger, back):
        refused(ask(party, bound))


def test_a_client_that_is_not_registered_for_it_is_refused(site, front):
    party = RelyingParty(site, make_client(site))

    refused(ask(party, front.tokens["access_token"], resource=API), "unauthorized_client")


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": None},
        {"subject_token": "nonsense"},
        {"subject_token": "a.b.c"},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"actor_token": "nonsense", "actor_token_type": ACCESS_TOKEN},
        {"actor_token_type": ACCESS_TOKEN},
    ],
)
def test_a_wrong_request_is_refused_and_leaves_nothing(site, front, back, changes):
    before = row_counts(site)

    refused(ask(back, front.tokens["access_token"], resource=API, **changes))

    assert row_counts(site) == before


def test_a_jwt_is_another_name_for_what_is_issued(front, back):
    """§3."""
    jwt = "urn:ietf:params:oauth:token-type:jwt"

    body = exchanged(
        back,
        front.tokens["access_token"],
        subject_token_type=jwt,
        requested_token_type=jwt,
        resource=API,
    )

    assert body["issued_token_type"] == jwt


def test_id_tokens_and_refresh_tokens_are_no_subject_tokens(front, back):
    for name in ("id_token", "refresh_token"):
        refused(ask(back, front.tokens[name], resource=API))


def test_a_token_without_a_person_is_no_subject_token(front, back):
    refused(ask(back, own_token(back), resource=API))


def test_a_new_token_never_lives_longer_than_the_old_one(site, front, back):
    old = front.tokens["access_token"]
    site.clock.advance(500)

    body = exchanged(back, old, resource=API)

    assert body["expires_in"] == 100
    assert claims_of(body["access_token"])["exp"] == claims_of(old)["exp"]
    site.clock.advance(101)
    refused(ask(back, old, resource=API))


def test_an_actor_stands_in_the_token_and_in_introspection(front, back):
    """§4.1."""
    body = exchanged(
        back,
        front.tokens["access_token"],
        actor_token=own_token(back),
        actor_token_type=ACCESS_TOKEN,
        resource=API,
    )

    acting = {"sub": back.app.client_id, "client_id": back.app.client_id}
    assert claims_of(body["access_token"])["act"] == acting
    assert back.introspect(body["access_token"])["act"] == acting


def test_earlier_actors_stay_in_the_token_with_and_without_a_new_one(site, front, back):
    """§4.1: the outermost is the current one."""
    parties = [exchanger(site, may_exchange=True) for _ in range(4)]
    token = front.tokens["access_token"]
    for party in parties:
        token = exchanged(
            party,
            token,
            actor_token=own_token(party),
            actor_token_type=ACCESS_TOKEN,
            resource=API,
        )["access_token"]

    silent = exchanged(back, token, resource=API)["access_token"]

    act, chain = claims_of(silent)["act"], []
    while act is not None:
        chain.append(act["sub"])
        act = act.get("act")
    assert chain == [party.app.client_id for party in reversed(parties)]
    one_more = {"actor_token": own_token(back), "actor_token_type": ACCESS_TOKEN}
    refused(ask(back, token, resource=API, **one_more))


def test_an_actor_token_of_somebody_else_is_refused(site, front, back):
    other = own_token(exchanger(site))

    refused(
        ask(
            back,
            front.tokens["access_token"],
            actor_token=other,
            actor_token_type=ACCESS_TOKEN,
            resource=API,
        )
    )


def revoke_grant(site, front):
    front.post("/revoke", token=front.tokens["refresh_token"])


def disable_user(site, front):
    with site.db() as db:
        endings.disable_user(db, front.person.id, site.clock.now)


def disable_first_client(site, front):
    with site.db() as db:
        clients.change(db, front.app.client_id, disabled_at=site.clock.now)


def sign_out(site, front):
    front.browser.send(front.browser.go("/logout"))


@pytest.mark.parametrize("end", [revoke_grant, disable_user, disable_first_client, sign_out])
def test_whatever_ends_the_grant_ends_what_it_was_exchanged_for(site, front, back, end):
    token = exchanged(back, front.tokens["access_token"], resource=API)["access_token"]
    assert back.introspect(token)["active"] is True

    end(site, front)

    assert back.introspect(token) == {"active": False}
    refused(ask(back, token, resource=API))
    refused(ask(back, front.tokens["access_token"], resource=API))


def test_disabling_the_client_that_exchanged_ends_its_tokens_and_no_others(site, front, back):
    watcher = RelyingParty(site, make_client(site, may_introspect=True))
    token = exchanged(back, front.tokens["access_token"], resource=API)["access_token"]
    assert watcher.introspect(token)["active"] is True

    with site.db() as db:
        clients.change(db, back.app.client_id, disabled_at=site.clock.now)

    assert watcher.introspect(token) == {"active": False}
    assert watcher.introspect(front.tokens["access_token"])["active"] is True


def test_a_revoked_token_cannot_be_exchanged(front, back):
    front.post("/revoke", token=front.tokens["access_token"])

    refused(ask(back, front.tokens["access_token"], resource=API))


def test_a_pairwise_client_stays_in_its_sector(site, front, back):
    """Core §8: what it exchanges names people as its sector knows them."""
    pairwise = exchanger(
        site, may_exchange=True, subject_type="pairwise", sector_identifier_uri=SECTOR
    )

    token = exchanged(pairwise, front.tokens["access_token"], resource=API)["access_token"]

    assert claims_of(token)["sub"] != front.person.id


def test_the_audit_log_tells_who_exchanged_whose_token(site, front, back):
    exchanged(back, front.tokens["access_token"], resource=API)

    with site.db() as db:
        [row] = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "token.exchanged"))
    assert (row.user_id, row.client_id) == (front.person.id, back.app.client_id)
    assert row.detail["subject_client_id"] == front.app.client_id
    assert row.detail["audience"] == API
