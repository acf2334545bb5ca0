"""Random lives of grants, driven over HTTP through two workers, and compared with the model.

Every request comes on a connection of its own, so that any worker may get it; a third process, this
one, changes accounts and clients in the same database.
"""

import base64
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import jwt
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from oidc_server.database import Database
from oidc_server.domain import client_metadata, clients, endings, users
from tests.browser import Browser
from tests.factories import PASSWORD, REDIRECT_URI, App, Person
from tests.invariants.model import Model, ModelGrant
from tests.services.deployment import Deployment

SCOPES = ("openid email", "openid email offline_access")
BROWSERS = st.integers(0, 1)
PEOPLE = st.integers(0, 1)
APPS = st.integers(0, 1)
ANY = st.integers(0, 2**16)
"""Chooses one of those that are there."""
MOST_GRANTS = 6


class LivesOfTokens(RuleBasedStateMachine):
    """`deployment`, `database` and `password_hash` are set before a run."""

    deployment: Deployment
    database: Database
    password_hash: str

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.people: list[Person] = []
        self.apps: list[App] = []
        self.browsers: list[Browser] = []
        self.clients: list[httpx2.Client] = []
        self.seen: set[str] = set()
        self.dead: set[str] = set()

    # · what there is

    @initialize()
    def begin(self) -> None:
        mark = secrets.token_hex(6)
        self.people = [self._person(f"p{number}{mark}") for number in range(2)]
        self.apps = [self._app() for _ in range(2)]
        self.browsers = [Browser(self._client(), self.deployment.issuer) for _ in range(2)]
        self.http = self._client()
        self.keys = jwt.PyJWKSet.from_dict(self.http.get("/jwks.json").json())
        for number, scope in enumerate(SCOPES):
            self.sign_in(number, number)
            self.authorize(number, number, scope)
            self.redeem(number)

    def teardown(self) -> None:
        for client in self.clients:
            client.close()

    # · what happens

    @rule(browser=BROWSERS, person=PEOPLE)
    def sign_in(self, browser: int, person: int) -> None:
        who, client = self.people[person], self.browsers[browser]
        if self.model.signed_in.get(browser) is not None:
            self._log_out(browser)
        page = client.log_in(client.go("/login"), who)

        assert (page.url.path == "/account") == (who.id not in self.model.disabled_people)
        if page.url.path == "/account":
            self.model.signed_in[browser] = who

    @precondition(lambda self: len(self.model.grants) < MOST_GRANTS)
    @rule(browser=BROWSERS, app=APPS, scope=st.sampled_from(SCOPES))
    def authorize(self, browser: int, app: int, scope: str) -> None:
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.apps[app].client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": scope,
            "prompt": "none",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        answer = self.browsers[browser].go(f"/authorize?{urlencode(query)}")
        location = answer.headers.get("location", "")
        person = self.model.signed_in.get(browser)

        if self.apps[app].client_id in self.model.disabled_apps:
            assert answer.status_code == 400
            assert not location
        elif person is None:
            assert parse_qs(urlsplit(location).query)["error"] == ["login_required"]
        else:
            code = parse_qs(urlsplit(location).query)["code"][0]
            self._never_seen(code)
            scopes = frozenset(scope.split())
            self.model.grants.append(
                ModelGrant(self.apps[app], person, browser, scopes, code, verifier)
            )

    @precondition(lambda self: self.model.grants)
    @rule(which=ANY)
    def redeem(self, which: int) -> None:
        """The first time it buys tokens; every later time it kills what it bought."""
        grant = self._choose(which)
        answer = self._redeem(grant)

        if not grant.redeemed and self.model.holds(grant):
            grant.redeemed = True
            self._received(grant, answer)
        else:
            self._refused(grant, answer)
            grant.revoked = grant.revoked or (grant.redeemed and self._is_enabled(grant.app))

    @precondition(lambda self: self.model.grants)
    @rule(which=ANY)
    def redeem_ten_times_at_once(self, which: int) -> None:
        """At most one buys, and the others kill what it bought."""
        grant = self._choose(which)
        could = not grant.redeemed and self.model.holds(grant)
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: self._redeem(grant), range(10)))

        bought = [answer for answer in answers if answer.status_code == 200]
        assert len(bought) == (1 if could else 0)
        for answer in bought:
            self._received(grant, answer)
        if self._is_enabled(grant.app) and (grant.redeemed or could):
            grant.redeemed = grant.revoked = True

    @precondition(lambda self: len(self.model.grants) > 2)
    @rule(which=ANY)
    def redeem_with_a_wrong_verifier(self, which: int) -> None:
        """The right client without the secret of its request burns the code."""
        grant = self._choose(which)
        answer = self._redeem(grant, code_verifier="x" * 43)

        self._refused(grant, answer)
        if self._is_enabled(grant.app):
            grant.redeemed = grant.revoked = True

    @precondition(lambda self: self.model.grants)
    @rule(which=ANY)
    def redeem_as_another_client(self, which: int) -> None:
        """Whoever steals a code can neither use nor harm it."""
        grant = self._choose(which)
        answer = self._redeem(grant, app=self._other(grant.app))

        assert answer.status_code in (400, 401)

    @precondition(lambda self: any(grant.chain for grant in self.model.grants))
    @rule(which=ANY, narrow=st.booleans())
    def refresh(self, which: int, narrow: bool) -> None:
        grant = self._choose(which, with_tokens=True)
        scope: dict[str, Any] = {"scope": "openid"} if narrow else {}
        answer = self._refresh(grant, grant.chain[-1], **scope)

        if self.model.holds(grant):
            self._received(grant, answer, frozenset({"openid"}) if narrow else None)
        else:
            self._refused(grant, answer)

    @precondition(lambda self: any(grant.chain for grant in self.model.grants))
    @rule(which=ANY)
    def refresh_ten_times_at_once(self, which: int) -> None:
        """All get the same successor."""
        grant = self._choose(which, with_tokens=True)
        current, could = grant.chain[-1], self.model.holds(grant)
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: self._refresh(grant, current), range(10)))

        assert {answer.status_code for answer in answers} <= ({200} if could else {400, 401})
        if could:
            assert len({answer.json()["refresh_token"] for answer in answers}) == 1
            for answer in answers:
                self._received(grant, answer, again=answer is not answers[0])

    @precondition(lambda self: any(len(grant.chain) > 1 for grant in self.model.grants))
    @rule(which=ANY, back=st.integers(2, 4))
    def refresh_with_a_spent_token(self, which: int, back: int) -> None:
        """The predecessor of an unused token is a retry; anything older means a thief."""
        spent = [grant for grant in self.model.grants if len(grant.chain) > 1]
        spent = [grant for grant in spent if self.model.holds(grant)] or spent
        grant = spent[which % len(spent)]
        place = max(-back, -len(grant.chain))
        answer = self._refresh(grant, grant.chain[place])

        if self.model.holds(grant) and place == -2:
            assert answer.json()["refresh_token"] == grant.chain[-1]
            self._received(grant, answer, again=True)
        else:
            self._refused(grant, answer)
            grant.revoked = grant.revoked or self.model.holds(grant)

    @precondition(lambda self: any(grant.chain for grant in self.model.grants))
    @rule(which=ANY)
    def refresh_twice_and_then_with_the_first(self, which: int) -> None:
        """What a thief and the owner do between them."""
        grant = self._choose(which, with_tokens=True)
        first, held = grant.chain[-1], self.model.holds(grant)
        if held:
            self._received(grant, self._refresh(grant, first))
            self._received(grant, self._refresh(grant, grant.chain[-1]))
        answer = self._refresh(grant, first)

        self._refused(grant, answer)
        grant.revoked = grant.revoked or held

    @precondition(lambda self: any(grant.chain for grant in self.model.grants))
    @rule(which=ANY)
    def refresh_as_another_client(self, which: int) -> None:
        grant = self._choose(which, with_tokens=True)
        answer = self._refresh(grant, grant.chain[-1], app=self._other(grant.app))

        assert answer.status_code in (400, 401)

    @precondition(lambda self: any(grant.chain for grant in self.model.grants))
    @rule(which=ANY)
    def revoke_a_refresh_token(self, which: int) -> None:
        """It takes the whole grant along, once its own client asks."""
        grant = self._choose(which, with_tokens=True)
        self._revoke(grant, grant.chain[-1])
        grant.revoked = grant.revoked or self._is_enabled(grant.app)

    @precondition(lambda self: any(grant.access_tokens for grant in self.model.grants))
    @rule(which=ANY)
    def revoke_an_access_token(self, which: int) -> None:
        """It goes alone, once its own client asks."""
        grant = self._choose(which, with_tokens=True)
        token = list(grant.access_tokens)[which % len(grant.access_tokens)]
        self._revoke(grant, token)
        if self._is_enabled(grant.app):
            grant.revoked_one_by_one.add(token)

    @precondition(lambda self: self.model.signed_in and len(self.model.grants) > 2)
    @rule(browser=BROWSERS)
    def log_out(self, browser: int) -> None:
        if browser in self.model.signed_in:
            self._log_out(browser)

    @precondition(lambda self: len(self.model.grants) > 3)
    @rule(person=PEOPLE)
    def disable_a_person(self, person: int) -> None:
        with self.database.transaction("write") as db:
            endings.disable_user(db, self.people[person].id, datetime.now(UTC))
        self.model.disable_person(self.people[person])

    @precondition(lambda self: len(self.model.grants) > 3)
    @rule(person=PEOPLE)
    def change_a_password(self, person: int) -> None:
        with self.database.transaction("write") as db:
            endings.change_password(
                db, self.people[person].id, self.password_hash, datetime.now(UTC)
            )
        self.model.change_password(self.people[person])

    @precondition(lambda self: len(self.model.grants) > 3)
    @rule(app=APPS)
    def disable_a_client(self, app: int) -> None:
        client_id, now = self.apps[app].client_id, datetime.now(UTC)
        with self.database.transaction("write") as db:
            clients.change(db, client_id, disabled_at=now)
        self.model.disabled_apps.add(client_id)

    # · what is always true

    @invariant()
    def every_token_is_worth_what_the_model_says(self) -> None:
        """Invariants T2 to T6 and T10: userinfo and introspection agree, and the dead stay dead."""
        for grant in self.model.grants:
            for token, scopes in grant.access_tokens.items():
                lives = self.model.access_token_lives(grant, token)
                self._lives_everywhere(grant, token, scopes, lives=lives)
            for token in grant.chain:
                lives = self.model.refresh_token_lives(grant, token)
                self._is_active(grant, token, grant.scopes, lives=lives)

    # · how

    def _lives_everywhere(
        self, grant: ModelGrant, token: str, scopes: frozenset[str], *, lives: bool
    ) -> None:
        answer = self.http.get("/userinfo", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == (200 if lives else 401)
        if lives:
            assert answer.json()["sub"] == grant.person.id
            assert ("email" in answer.json()) == ("email" in scopes)
        self._is_active(grant, token, scopes, lives=lives)

    def _is_active(
        self, grant: ModelGrant, token: str, scopes: frozenset[str], *, lives: bool
    ) -> None:
        if lives:
            assert token not in self.dead
        else:
            self.dead.add(token)
        if not self._is_enabled(grant.app):
            return
        told = self._post("/introspect", grant.app, token=token).json()
        assert told["active"] is lives
        if lives:
            assert frozenset(told["scope"].split()) == scopes <= grant.scopes
            assert told["client_id"] == grant.app.client_id
        other = self._other(grant.app)
        if self._is_enabled(other):
            assert self._post("/introspect", other, token=token).json() == {"active": False}

    def _received(
        self,
        grant: ModelGrant,
        answer: httpx2.Response,
        scopes: frozenset[str] | None = None,
        *,
        again: bool = False,
    ) -> None:
        """Tokens came: note them, and hold them against the published keys (T14, T15)."""
        assert answer.status_code == 200, answer.text
        body = answer.json()
        given = frozenset(body["scope"].split())
        assert given == (scopes or grant.scopes)
        self._never_seen(body["access_token"])
        if not again:
            self._never_seen(body["refresh_token"])
            grant.chain.append(body["refresh_token"])
        grant.access_tokens[body["access_token"]] = given
        claims = self._claims(body["id_token"], grant.app.client_id)
        assert claims["sub"] == grant.person.id
        self._claims(body["access_token"], self.deployment.issuer)

    def _claims(self, token: str, audience: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        key = self.keys[header["kid"]]
        algorithms = ["ES256", "RS256"]
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=algorithms, audience=audience, issuer=self.deployment.issuer
        )
        return claims

    def _refused(self, grant: ModelGrant, answer: httpx2.Response) -> None:
        assert answer.status_code == (400 if self._is_enabled(grant.app) else 401), answer.text
        expected = "invalid_grant" if self._is_enabled(grant.app) else "invalid_client"
        assert answer.json()["error"] == expected

    def _never_seen(self, secret: str) -> None:
        assert secret not in self.seen
        self.seen.add(secret)

    def _is_enabled(self, app: App) -> bool:
        return app.client_id not in self.model.disabled_apps

    def _choose(self, which: int, *, with_tokens: bool = False) -> ModelGrant:
        """A grant; three times out of four one that lives, so that lives last long enough."""
        grants = [grant for grant in self.model.grants if grant.chain or not with_tokens]
        alive = [grant for grant in grants if self.model.holds(grant)]
        chosen = alive if alive and which % 4 != 1 else grants
        return chosen[which // 4 % len(chosen)]

    def _other(self, app: App) -> App:
        return self.apps[1 - self.apps.index(app)]

    def _redeem(self, grant: ModelGrant, app: App | None = None, **changes: str) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "code": grant.code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": grant.verifier,
            **changes,
        }
        return self._post("/token", app or grant.app, **form)

    def _refresh(
        self, grant: ModelGrant, token: str, app: App | None = None, **more: str
    ) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, **more}
        return self._post("/token", app or grant.app, **form)

    def _post(self, path: str, app: App, **form: str) -> httpx2.Response:
        return self.http.post(path, data=form, auth=(app.client_id, app.client_secret or ""))

    def _revoke(self, grant: ModelGrant, token: str) -> None:
        """First as somebody else, which must change nothing."""
        other = self._other(grant.app)
        answer = self._post("/revoke", other, token=token)
        assert answer.status_code == (200 if self._is_enabled(other) else 401)
        self.every_token_is_worth_what_the_model_says()
        answer = self._post("/revoke", grant.app, token=token)
        assert answer.status_code == (200 if self._is_enabled(grant.app) else 401)

    def _log_out(self, browser: int) -> None:
        client = self.browsers[browser]
        client.send(client.go("/logout"))
        self.model.end_session(browser)

    def _client(self) -> httpx2.Client:
        client = httpx2.Client(
            base_url=self.deployment.issuer,
            follow_redirects=False,
            timeout=30,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )
        self.clients.append(client)
        return client

    def _person(self, name: str) -> Person:
        with self.database.transaction("write") as db:
            made = users.create(
                db,
                username=name,
                email=f"{name}@example.com",
                name=None,
                password_hash=self.password_hash,
                now=datetime.now(UTC),
                email_verified=True,
            )
            return Person(made.id, name, f"{name}@example.com", PASSWORD)

    def _app(self) -> App:
        metadata = client_metadata.for_type(
            "web", client_name="Ledger", redirect_uris=(REDIRECT_URI,), skip_consent=True
        )
        with self.database.transaction("write") as db:
            made = clients.create(db, client_type="web", metadata=metadata, now=datetime.now(UTC))
        return App(made.client.client_id, made.client_secret, REDIRECT_URI)
