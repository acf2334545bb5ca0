"""RFC 9457, and what every operation of the API does alike."""

import html
import json
from typing import Any

import pytest

from oidc_server.api.lists import read_cursor, write_cursor
from oidc_server.domain import endings
from oidc_server.domain.users import UsernameTakenError
from oidc_server.languages import SUPPORTED, translate
from oidc_server.web.errors import problem_of
from oidc_server.web.errors.types import PROBLEM_TYPES
from tests.api.operations import Api, callers
from tests.callers import Callers, token_of
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.wire import row_counts

GOOD = {"name": "thing", "size": 3}


@pytest.fixture
def world(site: Site) -> tuple[Callers, Api]:
    return callers(site)


@pytest.fixture
def api(world: tuple[Callers, Api]) -> Callers:
    return world[0]


@pytest.fixture
def behind(world: tuple[Callers, Api]) -> Api:
    """The handlers: how often they ran."""
    return world[1]


def problem(answer: Any, status: int, name: str) -> dict[str, Any]:
    """RFC 9457 §3.1: what every problem says."""
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert body["type"] == f"https://id.example.com/problems/{name}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["reference"] == answer.headers["x-request-id"]
    assert body["instance"] == f"{body['type']}#{body['reference']}"
    return body


def test_every_type_has_a_page_that_explains_it(site: Site) -> None:
    for kind in PROBLEM_TYPES:
        page = site.http.get(f"/problems/{kind.name}")

        assert page.status_code == 200
        assert kind.title in page.text
        assert f"https://id.example.com/problems/{kind.name}" in page.text
    assert site.http.get("/problems/nothing").status_code == 404


@pytest.mark.parametrize("language", [name for name in SUPPORTED if name != "en"])
def test_a_page_of_a_type_is_in_the_language_of_its_reader_and_answers_are_not(
    site: Site, language: str
) -> None:
    in_their_language = {"accept-language": language}

    for kind in PROBLEM_TYPES:
        page = html.unescape(site.http.get(kind.path, headers=in_their_language).text)

        for words in (kind.title, kind.explanation, kind.what_to_do):
            assert translate(language, words) in page
            assert words not in page
    answered = site.http.get("/api/v1/nowhere", headers=in_their_language)
    assert problem(answered, 404, "not-found")["title"] == "There is nothing here"


def test_a_rule_that_a_page_breaks_is_told_in_the_language_of_its_reader(site: Site) -> None:
    person = make_user(site)

    with pytest.raises(UsernameTakenError) as broken:
        make_user(site, username=person.username)

    told = problem_of(broken.value)
    assert told.explanation == str(broken.value) == "This username is taken."
    assert translate("de", told.explanation) == "Dieser Benutzername ist vergeben."


def test_names_of_types_are_distinct() -> None:
    assert len({kind.name for kind in PROBLEM_TYPES}) == len(PROBLEM_TYPES)


def test_an_operation_without_a_token_is_open_only_if_it_says_so(api: Callers) -> None:
    opened = api.call("GET", "/api/open", "")
    closed = api.call("GET", "/api/own", "")

    assert opened.json() == {"subject": None, "calls": 0}
    problem(closed, 401, "invalid-token")
    assert closed.headers["www-authenticate"].startswith('Bearer realm="https://id.example.com"')
    assert "error=" not in closed.headers["www-authenticate"]


WHO = [
    # path, caller, whom they name, status, subject
    ("/api/own", "person", None, 200, "person"),
    ("/api/own", "administrator", None, 200, "administrator"),
    ("/api/own", "service", None, 403, None),
    ("/api/own", "narrow", None, 403, None),
    ("/api/any", "person", None, 200, "person"),
    ("/api/any", "person", "person", 200, "person"),
    ("/api/any", "person", "other", 403, None),
    ("/api/any", "person", "nobody", 403, None),
    ("/api/any", "administrator", "other", 200, "other"),
    ("/api/any", "administrator", None, 200, "administrator"),
    ("/api/any", "administrator", "nonsense", 404, None),
    ("/api/any", "service", "other", 200, "other"),
    ("/api/any", "service", "nonsense", 404, None),
    ("/api/any", "service", None, 422, None),
    ("/api/any", "narrow", None, 403, None),
    ("/api/give", "person", "other", 403, None),
    ("/api/give", "person", "person", 403, None),
    ("/api/give", "person", None, 403, None),
    ("/api/give", "administrator", "other", 200, "other"),
    ("/api/give", "administrator", "administrator", 403, None),
    ("/api/give", "administrator", None, 403, None),
    ("/api/give", "service", "person", 200, "person"),
    ("/api/rule/x", "person", None, 403, None),
    ("/api/rule/x", "narrow", None, 403, None),
    ("/api/rule/x", "administrator", None, 200, None),
    ("/api/rule/x", "service", None, 200, None),
]


@pytest.mark.parametrize(("path", "caller", "named", "status", "subject"), WHO)
def test_who_may_act_on_whom(
    api: Callers,
    behind: Api,
    path: str,
    caller: str,
    named: str | None,
    status: int,
    subject: str | None,
) -> None:
    ids = {
        **{name: person.id for name, person in api.people.items()},
        "nobody": "0193b1d2-0000-7000-8000-000000000000",
        "nonsense": "nobody",
    }
    method = "POST" if path == "/api/give" else "GET"
    about = {} if named is None else {"user_id": ids[named]}

    if method == "POST":
        answer = api.call(method, path, caller, json={**GOOD, **about})
    else:
        answer = api.call(method, path, caller, params=about)

    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json()["subject"] == (subject and ids[subject])
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert behind.calls == 0


def test_a_missing_scope_is_named(api: Callers) -> None:
    answer = api.call("GET", "/api/own", "narrow")

    body = problem(answer, 403, "insufficient-scope")
    assert body["scope"] == "things:own"
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert 'scope="things:own"' in answer.headers["www-authenticate"]


def test_a_token_for_another_resource_is_none_for_us(api: Callers) -> None:
    answer = api.call("GET", "/api/any", "elsewhere", params={"user_id": api.id_of("other")})

    problem(answer, 401, "invalid-token")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_somebody_disabled_is_let_in_no_more(api: Callers) -> None:
    with api.site.db() as db:
        endings.disable_user(db, api.id_of("person"), api.site.clock.now)

    problem(api.call("GET", "/api/own", "person"), 401, "invalid-token")


def test_a_pairwise_client_is_told_the_sub_it_knows(api: Callers) -> None:
    site = api.site
    app = make_client(site, scopes=["openid", "things:any"], subject_type="pairwise")
    party = RelyingParty(site, app)
    token = api.tokens["pairwise"] = token_of(
        site, party, api.people["person"], "openid things:any"
    )
    sub = party.userinfo(token).json()["sub"]

    told = api.call("GET", "/api/any", "pairwise").json()["subject"]
    named = api.call("GET", "/api/any", "pairwise", params={"user_id": sub})
    guessed = api.call("GET", "/api/any", "pairwise", params={"user_id": api.id_of("person")})

    assert told == sub != api.id_of("person")
    assert named.json()["subject"] == sub
    problem(guessed, 403, "not-allowed")


UNREADABLE = [
    (b"", "application/json", 400, "invalid-request"),
    (b"{", "application/json", 400, "invalid-request"),
    (b"[]", "application/json", 400, "invalid-request"),
    (b'{"name":"ab","name":"cd","size":1}', "application/json", 400, "invalid-request"),
    (b'{"name":"ab","size":NaN}', "application/json", 400, "invalid-request"),
    (b'{"name":"ab\\u0000","size":1}', "application/json", 400, "invalid-request"),
    (b'{"name":"ab\\ud800","size":1}', "application/json", 400, "invalid-request"),
    (b"\xef\xbb\xbf{}", "application/json", 400, "invalid-request"),
    (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 400, "invalid-request"),
    (b'{"size":' + b"9" * 5000 + b"}", "application/json", 400, "invalid-request"),
    (b"{} // words", "application/json", 400, "invalid-request"),
    (b"{}", "text/plain", 415, "unsupported-media-type"),
    (b"name=ab", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
    (b"{}", "application/json; charset=utf-16", 415, "unsupported-media-type"),
    (b'{"name":"' + b"a" * 70_000 + b'"}', "application/json", 413, "too-large"),
]


@pytest.mark.parametrize(("body", "kind", "status", "name"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_body_that_cannot_be_read_is_a_problem(
    api: Callers, behind: Api, body: bytes, kind: str, status: int, name: str
) -> None:
    before = row_counts(api.site)

    answer = api.call("POST", "/api/any", "person", {"content-type": kind}, content=body)

    problem(answer, status, name)
    assert behind.calls == 0
    assert row_counts(api.site) == before


WRONG_FIELDS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["name", "size"]),
    ({"name": "a", "size": 3}, ["name"]),
    ({"name": 12, "size": 3}, ["name"]),
    ({"name": "ab", "size": "3"}, ["size"]),
    ({"name": "ab", "size": True}, ["size"]),
    ({"name": "ab", "size": 3.0}, ["size"]),
    ({"name": "ab", "size": 0}, ["size"]),
    ({"name": "ab", "size": 10**40}, ["size"]),
    ({"name": None, "size": 3}, ["name"]),
    ({**GOOD, "role": "admin", "balance": 5}, ["role", "balance"]),
    ({**GOOD, "user_id": 5}, ["user_id"]),
]


@pytest.mark.parametrize(("body", "fields"), WRONG_FIELDS, ids=range(len(WRONG_FIELDS)))
def test_each_field_that_is_wrong_is_named(
    api: Callers, behind: Api, body: dict[str, Any], fields: list[str]
) -> None:
    answer = api.call("POST", "/api/any", "person", json=body)

    told = problem(answer, 422, "invalid-fields")
    assert [error["field"] for error in told["errors"]] == fields
    assert all(error["message"] for error in told["errors"])
    assert behind.calls == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=10", 200),
        ("limit=11", 422),
        ("limit=x", 422),
        ("limit=", 200),
        ("other=1", 422),
        ("limit=1&limit=1", 400),
        ("cursor=x", 400),
        ("cursor=%C3%A9", 400),
        ("cursor=" + "W" * 2000, 400),
    ],
)
def test_a_query_is_read_strictly(api: Callers, query: str, status: int) -> None:
    answer = api.call("GET", f"/api/any?{query}", "person")

    assert answer.status_code == status, answer.text


def test_a_cursor_is_read_back_and_any_other_is_refused(api: Callers) -> None:
    good = write_cursor("a", 2**62)
    bad = [write_cursor("a", "b"), write_cursor("a"), write_cursor("a", 2**63), write_cursor(1, 1)]
    bad += [write_cursor("\0", 1), write_cursor("a", True), good[:-1], good + "A", good + "=="]

    answers = [api.call("GET", "/api/any", "person", params={"cursor": one}) for one in bad]

    assert read_cursor(good, str, int) == ("a", 2**62)
    assert api.call("GET", "/api/any", "person", params={"cursor": good}).status_code == 200
    assert {answer.status_code for answer in answers} == {400}


def test_a_method_that_does_not_fit_and_an_unknown_address_are_problems(api: Callers) -> None:
    method = api.call("PUT", "/api/any", "person", json=GOOD)
    address = api.call("GET", "/api/v1/nothing", "person")

    problem(method, 405, "method-not-allowed")
    assert method.headers["allow"] == "DELETE, GET, POST"
    problem(address, 404, "not-found")


def test_an_answer_without_a_body_is_that(api: Callers) -> None:
    answer = api.call("DELETE", "/api/any", "person")

    assert (answer.status_code, answer.content) == (204, b"")


def test_scripts_of_registered_applications_may_call(api: Callers) -> None:
    make_client(api.site, "spa")
    origin = {"origin": "https://app.example.net"}

    asked = api.call("OPTIONS", "/api/any", "", origin)
    answered = api.call("GET", "/api/any", "person", origin)
    foreign = api.call("GET", "/api/any", "person", {"origin": "https://evil.example.org"})

    assert asked.headers["access-control-allow-methods"] == "DELETE, GET, POST"
    assert "idempotency-key" in asked.headers["access-control-allow-headers"]
    assert answered.headers["access-control-allow-origin"] == origin["origin"]
    assert "access-control-allow-origin" not in foreign.headers


def test_a_key_is_needed_where_sending_twice_matters(api: Callers, behind: Api) -> None:
    for key in (None, "", "é", "a b", "a\tb", "x" * 256):
        headers = {} if key is None else {"idempotency-key": key.encode("latin-1")}
        problem(
            api.call("POST", "/api/once", "person", headers, json=GOOD),  # type: ignore[arg-type]
            400,
            "invalid-request",
        )

    twice = [("idempotency-key", "a"), ("idempotency-key", "b")]
    headers_twice = [("authorization", f"Bearer {api.tokens['person']}"), *twice]
    problem(api.http.post("/api/once", headers=headers_twice, json=GOOD), 400, "invalid-request")
    assert behind.calls == 0


@pytest.mark.parametrize("refuse", [False, True])
def test_the_same_key_and_body_get_the_same_answer_and_one_effect(
    api: Callers, behind: Api, refuse: bool
) -> None:
    behind.refuse = refuse
    key = {"idempotency-key": "k" * 255}
    body = json.dumps({"size": 3, "name": "thing"}).encode()
    typed = {**key, "content-type": "application/json"}

    first = api.call("POST", "/api/once", "person", key, json=GOOD)
    api.site.clock.advance(5 * 60)
    again = api.call("POST", "/api/once", "person", typed, content=b"  " + body)

    assert first.status_code == (409 if refuse else 200)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert behind.calls == 1


def test_the_same_key_with_another_body_is_refused(api: Callers, behind: Api) -> None:
    key = {"idempotency-key": "k"}
    first = api.call(
        "POST", "/api/once", "service", key, json={**GOOD, "user_id": api.id_of("other")}
    )

    another = [
        {**GOOD, "size": 4, "user_id": api.id_of("other")},
        {**GOOD, "user_id": api.id_of("person")},
    ]
    answers = [api.call("POST", "/api/once", "service", key, json=body) for body in another]

    assert first.status_code == 200
    for answer in answers:
        problem(answer, 422, "idempotency-key-reused")
    assert behind.calls == 1


def test_the_same_key_of_somebody_else_is_another_key(api: Callers) -> None:
    key = {"idempotency-key": "k"}
    about = {**GOOD, "user_id": api.id_of("person")}

    answers = [
        api.call("POST", "/api/once", who, key, json=about)
        for who in ("person", "administrator", "service")
    ]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.json()["calls"] for answer in answers] == [1, 2, 3]


def test_what_could_not_be_read_leaves_its_key_as_new(api: Callers) -> None:
    key = {"idempotency-key": "k"}

    refused = api.call("POST", "/api/once", "person", key, json={**GOOD, "size": 0})
    mended = api.call("POST", "/api/once", "person", key, json=GOOD)

    assert [refused.status_code, mended.status_code] == [422, 200]
