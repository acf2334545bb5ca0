"""Credits over the wire: what is sent and answered, who may, and what every refusal says."""

from datetime import timedelta
from threading import Event
from typing import Any

import jwt
import pytest
from httpx2 import Response

from oidc_server.domain import audit_trail, endings, ledger
from oidc_server.domain.audit_trail import Filter
from oidc_server.domain.ledger import MAX_AMOUNT, Order
from oidc_server.jobs import credit_expiry
from tests.callers import Callers, make_callers
from tests.site import Site
from tests.wire import row_counts

SCOPE = "credits:read credits:use credits:add"
NOBODY = "0193b1d2-0000-4000-8000-000000000000"
PATH = "/api/v1/credits"


@pytest.fixture
def api(site: Site) -> Callers:
    return make_callers(site, SCOPE)


def move(api: Callers, action: str, caller: str = "service", **body: Any) -> Response:
    if caller == "service":
        body.setdefault("user_id", api.id_of("person"))
    return api.move(f"{PATH}/{action}", caller, **body)


def moved(api: Callers, action: str, caller: str = "service", **body: Any) -> dict[str, Any]:
    answer = move(api, action, caller, **body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def balance(api: Callers, name: str = "person") -> str:
    answer = api.call("GET", f"{PATH}/balance", "service", params={"user_id": api.id_of(name)})
    told: str = answer.json()["balance"]
    return told


def refused(answer: Response, status: int, name: str) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["type"].endswith(f"/problems/{name}")
    return told


def test_a_balance_without_entries_is_zero(api: Callers) -> None:
    told = api.call("GET", f"{PATH}/balance", "person").json()

    assert told == {
        "user_id": api.id_of("person"),
        "balance": "0.00",
        "updated_at": "2026-01-05T09:00:00Z",
    }


def test_what_is_added_can_be_used_and_is_told(api: Callers) -> None:
    added = moved(
        api,
        "add",
        amount="12.50",
        transaction_type="purchase",
        reference_id="order-1",
        description="Zwölf",
    )
    api.site.clock.advance(60)
    used = moved(api, "use", "person", amount=2.5)

    told = api.call("GET", f"{PATH}/transactions", "person").json()
    assert added == {
        "id": added["id"],
        "user_id": api.id_of("person"),
        "amount": "12.50",
        "transaction_type": "purchase",
        "reference_id": "order-1",
        "description": "Zwölf",
        "created_at": "2026-01-05T09:00:00Z",
        "new_balance": "12.50",
    }
    assert (used["transaction_type"], used["amount"]) == ("credit_used", "2.50")
    assert (used["new_balance"], used["created_at"]) == ("10.00", "2026-01-05T09:01:00Z")
    assert told == {"transactions": [used, added], "total_count": 2, "next_cursor": None}
    assert api.call("GET", f"{PATH}/balance", "person").json() == {
        "user_id": api.id_of("person"),
        "balance": "10.00",
        "updated_at": "2026-01-05T09:01:00Z",
    }


GOOD_AMOUNTS = [
    (b"1", "1.00"),
    (b"0.01", "0.01"),
    (b'"0.01"', "0.01"),
    (b"1.1", "1.10"),
    (b'"1.10"', "1.10"),
    (b"0.07", "0.07"),
    (b"1000000000000", "1000000000000.00"),
    (b'"999999999999.99"', "999999999999.99"),
    (b"90071992547.41", "90071992547.41"),
]
BAD_AMOUNTS = (
    b"0",
    b"0.00",
    b"-1",
    b'"-1"',
    b"1.001",
    b"1.000",
    b'"1.001"',
    b"1e2",
    b"1E2",
    b"1.0e1",
    b"1e-2",
    b'"1e2"',
    b'"NaN"',
    b'"Infinity"',
    b"true",
    b"null",
    b'""',
    b'" 1"',
    b'"1 "',
    b'"+1"',
    b'"01"',
    b'".5"',
    b'"1."',
    b'"1,5"',
    b'"1_0"',
    b'"\xd9\xa1"',
    b"[1]",
    b"{}",
    b"1000000000000.01",
    b"1000000000001",
    b"100000000000000000000",
    b"0.009999999999999999999999",
    b'"' + b"9" * 4000 + b'"',
)


def send(api: Callers, action: str, amount: bytes) -> Response:
    body = b'{"user_id":"%s","amount":%s}' % (api.id_of("person").encode(), amount)
    headers = {"content-type": "application/json", "idempotency-key": "k"}
    return api.call("POST", f"{PATH}/{action}", "service", headers, content=body)


@pytest.mark.parametrize(("amount", "told"), GOOD_AMOUNTS)
def test_an_amount_is_exact(api: Callers, amount: bytes, told: str) -> None:
    answer = send(api, "add", amount)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["amount"], answer.json()["new_balance"]) == (told, told)
    assert balance(api) == told


def test_an_amount_that_is_none_names_its_field_and_moves_nothing(api: Callers) -> None:
    before = row_counts(api.site)

    for amount in BAD_AMOUNTS:
        told = refused(send(api, "add", amount), 422, "invalid-fields")

        assert [error["field"] for error in told["errors"]] == ["amount"], amount
    assert row_counts(api.site) == before


@pytest.mark.parametrize(
    "amount", [b"NaN", b"Infinity", b"01", b"+1", b".5", b'1,"amount":2', b"9" * 4000]
)
def test_an_amount_that_is_no_json_is_refused(api: Callers, amount: bytes) -> None:
    refused(send(api, "add", amount), 400, "invalid-request")


@pytest.mark.parametrize(
    "field",
    [
        {"balance": "5.00"},
        {"reference_id": ""},
        {"reference_id": "x" * 201},
        {"reference_id": "a\nb"},
        {"reference_id": 5},
        {"description": "x" * 501},
        {"description": "a\u202eb\x1b[0m"},
        {"transaction_type": "adjusted"},
    ],
    ids=str,
)
def test_a_field_that_is_wrong_is_named(api: Callers, field: dict[str, Any]) -> None:
    told = refused(move(api, "add", amount="1.00", **field), 422, "invalid-fields")

    assert [error["field"] for error in told["errors"]] == list(field)
    assert balance(api) == "0.00"


def test_nobody_spends_what_is_not_there(api: Callers) -> None:
    moved(api, "add", amount="10.00")

    told = refused(move(api, "use", "person", amount="10.01"), 409, "insufficient-credit")
    moved(api, "use", "person", amount="10.00")
    empty = refused(move(api, "use", "person", amount="0.01"), 409, "insufficient-credit")

    assert (told["balance"], empty["balance"]) == ("10.00", "0.00")
    assert balance(api) == "0.00"


def test_the_same_key_is_told_the_same_refusal_also_when_there_is_enough_by_now(
    api: Callers,
) -> None:
    first = move(api, "use", key="k", amount="1.00")
    moved(api, "add", amount="5.00")
    again = move(api, "use", key="k", amount="1.00")

    assert (first.status_code, again.status_code) == (409, 409)
    assert first.content == again.content
    assert balance(api) == "5.00"


@pytest.mark.parametrize("action", ["add", "use", "reserve", "refund", "capture", "release"])
def test_a_movement_needs_a_key(api: Callers, action: str) -> None:
    answer = api.call("POST", f"{PATH}/{action}", "service", json={"amount": "1.00"})

    refused(answer, 400, "invalid-request")


def test_a_person_never_credits_themselves_and_moves_nobody_elses(api: Callers) -> None:
    moved(api, "add", amount="5.00")
    used = moved(api, "use", "person", amount="5.00")
    before = row_counts(api.site)

    for who in ("person", "moderator"):
        for about in ({}, {"user_id": api.id_of(who)}, {"user_id": api.id_of("other")}):
            refused(move(api, "add", who, amount="1.00", **about), 403, "insufficient-scope")
            refund = move(api, "refund", who, transaction_id=used["id"], **about)
            refused(refund, 403, "insufficient-scope")
    refused(
        move(api, "use", "person", amount="1.00", user_id=api.id_of("other")), 403, "not-allowed"
    )
    refused(move(api, "add", "administrator", amount="1.00"), 403, "not-allowed")
    assert row_counts(api.site) == before


def test_an_administrator_acts_on_others(api: Callers) -> None:
    about = {"user_id": api.id_of("other")}

    moved(api, "add", "administrator", amount="5.00", **about)
    moved(api, "use", "administrator", amount="2.00", **about)
    told = api.call("GET", f"{PATH}/transactions", "administrator", params=about).json()

    assert balance(api, "other") == "3.00"
    assert told["total_count"] == 2


def test_an_administrator_who_is_none_any_more_acts_on_nobody(api: Callers) -> None:
    with api.site.db() as db:
        db.session.connection().exec_driver_sql("DELETE FROM role_assignments")

    answer = move(api, "add", "administrator", amount="5.00", user_id=api.id_of("other"))

    refused(answer, 403, "not-allowed")


def test_an_unknown_user_is_not_found_and_a_disabled_one_moves_nothing(api: Callers) -> None:
    moved(api, "add", amount="5.00")
    held = moved(api, "reserve", amount="1.00")
    with api.site.db() as db:
        endings.disable_user(db, api.id_of("person"), api.site.clock.now)

    for action, body in (
        ("add", {"amount": "1.00"}),
        ("use", {"amount": "1.00"}),
        ("reserve", {"amount": "1.00"}),
        ("capture", {"reservation_id": held["id"]}),
    ):
        refused(move(api, action, user_id=NOBODY, **body), 404, "not-found")
        told = refused(move(api, action, **body), 409, "conflict")
        assert told["balance"] == "4.00"
    unknown = api.call("GET", f"{PATH}/balance", "service", params={"user_id": NOBODY})
    refused(unknown, 404, "not-found")
    unknown = api.call("GET", f"{PATH}/transactions", "service", params={"user_id": NOBODY})
    refused(unknown, 404, "not-found")
    moved(api, "release", reservation_id=held["id"])
    assert balance(api) == "5.00"


def test_no_account_holds_more_than_fits(api: Callers) -> None:
    order = Order("bank", None, "request")
    with api.site.db() as db:
        for _ in range(1000):
            ledger.add(db, api.id_of("person"), MAX_AMOUNT, order=order, now=api.site.clock.now)

    told = refused(move(api, "add", amount="0.01"), 409, "conflict")

    assert told["balance"] == balance(api) == "1000000000000000.00"


def test_refunds_add_up_to_what_was_taken_at_most(api: Callers) -> None:
    moved(api, "add", amount="9.00")
    used = moved(api, "use", "person", amount="6.00")["id"]

    part = moved(api, "refund", transaction_id=used, amount="2.50", reference_id="complaint")
    more = refused(move(api, "refund", transaction_id=used, amount="3.51"), 409, "conflict")
    rest = moved(api, "refund", transaction_id=used)
    nothing = refused(move(api, "refund", transaction_id=used), 409, "conflict")

    assert (part["transaction_type"], part["reference_id"]) == ("refunded", "complaint")
    assert (more["left"], nothing["left"]) == ("3.50", "0.00")
    assert (rest["amount"], rest["new_balance"]) == ("3.50", "9.00")


def test_only_what_took_credit_is_refunded_and_only_to_whom_it_took_it_from(api: Callers) -> None:
    added = moved(api, "add", amount="9.00")["id"]
    moved(api, "add", amount="9.00", user_id=api.id_of("other"))
    held = moved(api, "reserve", amount="1.00")["id"]
    used = moved(api, "use", amount="1.00")["id"]

    for entry in (added, held, NOBODY, "nonsense"):
        refused(move(api, "refund", transaction_id=entry), 404, "not-found")
    about = {"user_id": api.id_of("other")}
    refused(move(api, "refund", transaction_id=used, **about), 404, "not-found")
    assert (balance(api), balance(api, "other")) == ("7.00", "9.00")


def test_what_is_reserved_can_be_taken_in_part_and_the_rest_comes_back(api: Callers) -> None:
    moved(api, "add", amount="10.00")

    held = moved(api, "reserve", amount="6.00", expires_in=60)
    too_much = refused(move(api, "use", "person", amount="4.01"), 409, "insufficient-credit")
    more = refused(move(api, "capture", reservation_id=held["id"], amount="6.01"), 409, "conflict")
    taken = moved(api, "capture", reservation_id=held["id"], amount="4.00")
    told = api.call("GET", f"{PATH}/transactions", "person").json()["transactions"]

    assert (held["transaction_type"], held["new_balance"]) == ("reserved", "4.00")
    assert held["expires_at"] == "2026-01-05T09:01:00Z"
    assert (too_much["balance"], more["left"]) == ("4.00", "6.00")
    assert (taken["amount"], taken["new_balance"]) == ("4.00", "4.00")
    assert [(entry["transaction_type"], entry["new_balance"]) for entry in told] == [
        ("released", "6.00"),
        ("captured", "4.00"),
        ("reserved", "4.00"),
        ("credit_added", "10.00"),
    ]
    moved(api, "refund", transaction_id=taken["id"])
    assert balance(api) == "10.00"


@pytest.mark.parametrize("first", ["capture", "release"])
@pytest.mark.parametrize("second", ["capture", "release"])
def test_a_reservation_is_settled_once(api: Callers, first: str, second: str) -> None:
    moved(api, "add", amount="10.00")
    held = moved(api, "reserve", amount="6.00")

    moved(api, first, reservation_id=held["id"])
    told = refused(move(api, second, reservation_id=held["id"]), 409, "conflict")

    assert told["balance"] == balance(api) == ("4.00" if first == "capture" else "10.00")


def test_a_reservation_is_of_the_client_that_made_it(api: Callers) -> None:
    moved(api, "add", amount="10.00")
    by_service = moved(api, "reserve", amount="6.00")["id"]
    by_app = moved(api, "reserve", "person", amount="1.00")["id"]

    for action in ("capture", "release"):
        refused(move(api, action, "person", reservation_id=by_service), 404, "not-found")
        refused(move(api, action, reservation_id=by_app), 404, "not-found")
        for unknown in (NOBODY, "nonsense"):
            refused(move(api, action, reservation_id=unknown), 404, "not-found")
    assert balance(api) == "3.00"


def test_a_reservation_comes_back_when_its_time_is_over(api: Callers) -> None:
    moved(api, "add", amount="10.00")
    held = moved(api, "reserve", amount="6.00", expires_in=60)["id"]
    later = moved(api, "reserve", amount="1.00", expires_in=3600)["id"]

    api.site.clock.advance(timedelta(seconds=60))
    for action in ("capture", "release"):
        told = refused(move(api, action, reservation_id=held), 409, "conflict")
        assert "expired" in told["detail"]
    credit_expiry.release_expired(api.site.runtime, Event())
    credit_expiry.release_expired(api.site.runtime, Event())

    told = api.call("GET", f"{PATH}/transactions", "person").json()["transactions"]
    assert (told[0]["transaction_type"], told[0]["amount"]) == ("expired", "6.00")
    assert len(told) == 4
    assert balance(api) == "9.00"
    refused(move(api, "capture", reservation_id=held), 409, "conflict")
    moved(api, "capture", reservation_id=later)


def pages(api: Callers, **query: Any) -> list[list[str]]:
    """Every page, by cursor, as the amounts on it."""
    found: list[list[str]] = []
    cursor = None
    while cursor is not None or not found:
        asked = {**query, **({} if cursor is None else {"cursor": cursor, "skip": 0})}
        told = api.call("GET", f"{PATH}/transactions", "person", params=asked).json()
        assert told["total_count"] == 7
        found.append([entry["amount"] for entry in told["transactions"]])
        cursor = told["next_cursor"]
    return found


def test_transactions_come_in_pages_newest_first(api: Callers) -> None:
    for number in range(1, 8):
        moved(api, "add", amount=number)
    moved(api, "add", amount=100, user_id=api.id_of("other"))

    assert pages(api, limit=3) == [["7.00", "6.00", "5.00"], ["4.00", "3.00", "2.00"], ["1.00"]]
    assert pages(api, limit=7) == [[f"{number}.00" for number in range(7, 0, -1)]]
    assert pages(api, limit=3, skip=5) == [["2.00", "1.00"]]
    assert pages(api, limit=3, skip=7) == [[]]
    assert pages(api, limit=3, skip=10**12) == [[]]
    assert pages(api, limit=4, skip=1) == [["6.00", "5.00", "4.00", "3.00"], ["2.00", "1.00"]]


def test_a_page_is_not_shifted_by_what_happens_meanwhile(api: Callers) -> None:
    for number in range(1, 5):
        moved(api, "add", amount=number)
    asked: dict[str, Any] = {"limit": 2}
    first = api.call("GET", f"{PATH}/transactions", "person", params=asked).json()

    moved(api, "add", amount=9)
    asked["cursor"] = first["next_cursor"]
    second = api.call("GET", f"{PATH}/transactions", "person", params=asked).json()

    assert [entry["amount"] for entry in second["transactions"]] == ["2.00", "1.00"]
    assert second["total_count"] == 5


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=201", 422),
        ("skip=-1", 422),
        ("skip=1.5", 422),
        ("cursor=nonsense", 400),
        ("cursor=Wzld&skip=1", 400),
        ("cursor=Wy05MjIzMzcyMDM2ODU0Nzc1ODA3XQ", 200),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api: Callers, query: str, status: int) -> None:
    moved(api, "add", amount=1)

    answer = api.call("GET", f"{PATH}/transactions?{query}", "person")

    assert answer.status_code == status, answer.text


def test_roles_are_in_tokens_for_our_api_only(api: Callers) -> None:
    def roles_in(name: str) -> Any:
        return jwt.decode(api.tokens[name], options={"verify_signature": False}).get("roles")

    assert roles_in("administrator") == ["admin", "user"]
    assert roles_in("moderator") == ["moderator", "user"]
    assert roles_in("person") == ["user"]
    assert [roles_in(name) for name in ("narrow", "service")] == [None] * 2


def test_a_balance_is_corrected_both_ways_and_the_audit_log_knows_why(api: Callers) -> None:
    up = moved(api, "adjust", amount="10.00", description="Goodwill")
    down = moved(
        api,
        "adjust",
        "administrator",
        user_id=api.id_of("person"),
        amount=-2.5,
        description="Charged twice",
    )

    told = api.call("GET", f"{PATH}/transactions", "person").json()["transactions"]
    assert [one["amount"] for one in told] == ["-2.50", "10.00"]
    assert {one["transaction_type"] for one in told} == {"adjusted"}
    assert (up["new_balance"], down["new_balance"]) == ("10.00", "7.50")
    with api.site.db() as db:
        rows = audit_trail.search(db, Filter(event="credit.adjusted"), limit=10)
        assert not ledger.reconcile(db)
    assert {row.user_id for row in rows} == {api.id_of("person")}
    assert {row.detail["description"]: (row.before, row.after) for row in rows} == {
        "Goodwill": ({"balance": "0.00"}, {"balance": "10.00"}),
        "Charged twice": ({"balance": "10.00"}, {"balance": "7.50"}),
    }
    assert api.id_of("administrator") in [row.actor_user_id for row in rows]


def test_a_correction_never_goes_below_zero_needs_a_reason_and_happens_once(api: Callers) -> None:
    moved(api, "add", amount="1.00")

    told = refused(move(api, "adjust", amount="-1.01", description="x"), 409, "insufficient-credit")
    refused(move(api, "adjust", amount="-1.00"), 422, "invalid-fields")
    for amount in ("0", "-0", "--1", "-", "-0.001", "- 1"):
        refused(move(api, "adjust", amount=amount, description="x"), 422, "invalid-fields")
    own = move(api, "adjust", "person", amount="5.00", description="For me")
    assert own.status_code == 403
    for _ in range(2):
        moved(api, "adjust", key="k", amount="-0.40", description="x")

    assert told["balance"] == "1.00"
    assert balance(api) == "0.60"
