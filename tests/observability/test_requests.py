"""What is told of each request: its ids, its line, and who asked."""

import base64
import time
from contextlib import suppress

import pytest

from oidc_server.observability import logs
from tests.factories import make_client, make_user
from tests.observability.reading import lines
from tests.relying_party import signed_in
from tests.site import Site

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
DISCOVERY = "/.well-known/openid-configuration"


def request_lines(stream, route=None):
    """The lines of answered requests: each comes when its answer has left already."""
    deadline = time.monotonic() + 60
    while not (found := _request_lines(stream, route)):
        assert time.monotonic() < deadline, stream.getvalue()
        time.sleep(0.005)
    return found


def _request_lines(stream, route):
    return [
        line
        for line in lines(stream)
        if line["event"] == "request" and route in (None, line["route"])
    ]


@pytest.mark.parametrize("sent", ["7f9c", "a-b_c.D0", "x" * 64])
def test_a_request_id_that_was_sent_is_kept_in_answer_page_and_log(site: Site, stream, sent):
    answer = site.http.get("/no-such-page", headers={"x-request-id": sent})

    assert answer.status_code == 404
    assert answer.headers["x-request-id"] == sent
    assert sent in answer.text
    [line] = request_lines(stream)
    assert line["request_id"] == sent


@pytest.mark.parametrize(
    "sent", ["", " ", "x" * 65, "a b", "-a", "<b>", "a;b", "a\tb", "ä".encode().decode("latin-1")]
)
def test_any_other_request_id_is_replaced(site: Site, stream, sent):
    answer = site.http.get("/no-such-page", headers={"x-request-id": sent.encode("latin-1")})

    made = answer.headers["x-request-id"]
    assert made != sent
    assert len(made) >= 12
    assert made in answer.text
    assert request_lines(stream)[0]["request_id"] == made


def test_each_request_without_an_id_gets_its_own(site: Site):
    ids = {site.http.get(DISCOVERY).headers["x-request-id"] for _ in range(20)}

    assert len(ids) == 20


@pytest.mark.parametrize(
    "sent",
    [
        f"00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-00",
        f"00-{TRACE}-{SPAN}-ff",
        f"cc-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what-comes-later",
    ],
)
def test_a_trace_goes_on_with_a_span_of_ours(site: Site, stream, sent):
    answer = site.http.get(DISCOVERY, headers={"traceparent": sent})

    version, trace, span, flags = answer.headers["traceparent"].split("-")
    assert (version, trace) == ("00", TRACE)
    assert span != SPAN
    assert flags == ("00" if sent.endswith("-00") else "01")
    assert request_lines(stream)[0]["trace_id"] == TRACE


@pytest.mark.parametrize(
    "sent",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0g",
        f"cc-{TRACE}-{SPAN}-01more",
    ],
)
def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(site: Site, stream, sent):
    answer = site.http.get(DISCOVERY, headers={"traceparent": sent})

    assert "traceparent" not in answer.headers
    [line] = request_lines(stream)
    assert len(line["trace_id"]) == 32
    assert line["trace_id"] not in (TRACE, "0" * 32)


def test_two_traceparents_are_none(site: Site):
    headers = [("traceparent", f"00-{TRACE}-{SPAN}-01")] * 2

    assert "traceparent" not in site.http.get(DISCOVERY, headers=headers).headers


def test_the_line_of_a_request_names_route_and_client_and_no_parameter(site: Site, stream):
    app = make_client(site, "service")
    secret = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()

    site.http.post(
        "/token?hidden=1",
        data={"grant_type": "client_credentials"},
        headers={"authorization": f"Basic {secret}", "x-request-id": "r1"},
    )

    [line] = request_lines(stream)
    assert line.pop("timestamp")
    assert len(line.pop("trace_id")) == 32
    assert 0 < line.pop("duration_ms") < 60_000
    assert line == {
        "event": "request",
        "method": "POST",
        "route": "token.token",
        "status": 200,
        "client_id": app.client_id,
        "request_id": "r1",
        "logger": "oidc_server.web.observing",
        "level": "info",
    }
    assert "hidden" not in stream.getvalue()


def test_the_line_names_the_person_whether_they_come_with_a_session_or_with_a_token(
    site: Site, stream
):
    party, browser, person, tokens = signed_in(site)
    token = {"authorization": f"Bearer {tokens['access_token']}"}

    site.http.get("/userinfo", headers=token)
    browser.go("/account")

    [by_token] = request_lines(stream, "userinfo.userinfo")
    assert (by_token["user_id"], by_token["client_id"]) == (person.id, party.app.client_id)
    by_session = request_lines(stream, "account.overview")[-1]
    assert by_session["user_id"] == person.id


def test_the_line_of_a_refusal_says_why_by_a_word_of_ours_and_repeats_nothing(site: Site, stream):
    party, browser, _, tokens = signed_in(site)
    app = party.app.client_id
    wrong = {"redirect_uri": "https://hidden.example/"}

    party.refresh("hidden-token")
    party.refresh(tokens["refresh_token"], scope="hidden")
    site.http.get("/userinfo", headers={"authorization": "Bearer hidden"})
    site.http.get("/api/v1/me", headers={"authorization": "Bearer hidden"})
    site.http.get("/hidden-path")
    site.http.post("/par", data={"client_id": "hidden"})
    browser.go(party.url(scope="hidden"))
    browser.go(party.url(**wrong))
    browser.go(party.url(client_id="hidden"))
    browser.go(party.url(response_mode="form_post", scope="hidden"))
    site.http.get(DISCOVERY)  # its answer has left after the line before it was written

    told = [
        (line["route"], line["status"], line["error"], line.get("client_id"))
        for line in request_lines(stream)
        if "error" in line
    ]
    assert told == [
        ("token.token", 400, "invalid_grant", app),
        ("token.token", 400, "invalid_scope", app),
        ("userinfo.userinfo", 401, "invalid_token", None),
        ("account_api.me", 401, "invalid-token", None),
        ("unknown", 404, "invalid_request", None),
        ("authorization.push", 401, "invalid_client", None),
        ("authorization.authorize", 303, "invalid_scope", app),
        ("authorization.authorize", 400, "invalid_request", app),
        ("authorization.authorize", 400, "invalid_request", None),
        ("authorization.authorize", 200, "invalid_scope", app),
    ]
    assert "hidden" not in stream.getvalue()


def test_the_line_of_a_request_for_a_client_names_it_and_no_error_where_all_is_well(
    site: Site, stream
):
    party, browser, person, _ = signed_in(site)

    party.authorize(browser, person)

    site.http.get(DISCOVERY)  # its answer has left after the line before it was written
    for line in request_lines(stream, "authorization.authorize"):
        assert line["client_id"] == party.app.client_id
    assert not [line for line in request_lines(stream) if "error" in line]


def test_a_path_with_something_in_it_is_not_in_the_log(site: Site, stream):
    site.http.get("/authorize/hidden-request-id")
    site.http.get("/hidden-path")

    request_lines(stream, "unknown")
    assert "hidden" not in stream.getvalue()
    assert [line["route"] for line in request_lines(stream)] == ["authorization.resume", "unknown"]


def test_static_files_have_an_id_too_but_are_no_news(site: Site, stream):
    path = next(iter(site.runtime.static))

    first = site.http.get(path, headers={"x-request-id": "r1"})
    second = site.http.get(path, headers={"x-request-id": "r2"})

    assert (first.headers["x-request-id"], second.headers["x-request-id"]) == ("r1", "r2")
    kept = site.runtime.static[path]
    assert len(kept.kind.headers) + len(kept.headers) == len(first.headers) - 1
    site.http.get(DISCOVERY)
    assert [line["route"] for line in request_lines(stream)] == ["discovery.openid_configuration"]


def test_what_takes_long_is_told_of_as_slow_with_its_statements_by_name(start_site, stream):
    site = start_site(log_slow_after="0s")
    party, _, _, tokens = signed_in(site)

    party.refresh(tokens["refresh_token"])

    site.http.get(DISCOVERY)  # its answer has left after the line before it was written
    told = lines(stream)
    statements = {line["statement"] for line in told if line["event"] == "slow statement"}
    assert "domain.refresh_tokens._FIND" in statements
    slow = [
        line for line in told if line["event"] == "slow request" and line["route"] == "token.token"
    ]
    assert slow[-1]["level"] == "warning"
    assert slow[-1]["request_id"] in {
        line["request_id"]
        for line in told
        if line.get("statement", "").startswith("domain.refresh")
    }
    assert tokens["refresh_token"] not in stream.getvalue()


def test_the_time_of_a_commit_is_told_of_what_wrote_and_not_of_what_read(start_site, stream):
    site = start_site(log_slow_after="0s")

    def commits():
        return [line for line in lines(stream) if line.get("statement") == "commit"]

    of_start = len(commits())
    with site.runtime.database.transaction("read"):
        pass
    of_reading = len(commits()) - of_start
    with site.db() as db:
        db.lock("something")

    told = commits()[of_start:]
    assert (of_reading, len(told)) == (0, 1)
    assert (told[0]["event"], told[0]["duration_ms"] > 0) == ("slow statement", True)


def test_what_is_written_to_the_audit_log_is_told_once_it_is_committed(site: Site, stream):
    make_user(site)  # so that the sign-in is made anew
    _, _, person, _ = signed_in(site)

    [line] = [
        line
        for line in lines(stream)
        if line["event"] == "audit" and line["audit_event"] == "sign_in.succeeded"
    ]
    assert (line["user_id"], line["outcome"], line["actor"]) == (person.id, "success", "user")
    assert line["request_id"] == line["reference"]


def test_what_was_rolled_back_is_not_told(site: Site, stream):
    told = []

    with suppress(RuntimeError), site.db() as db:
        db.afterwards(lambda: told.append("never"))
        raise RuntimeError
    with site.db() as db:
        with suppress(RuntimeError), db.savepoint():
            db.afterwards(lambda: told.append("neither"))
            raise RuntimeError
        db.afterwards(lambda: told.append("told"))

    assert told == ["told"]


def test_only_what_is_asked_for_is_written(site: Site, stream):
    logs.configure("warning", "json", stream)

    site.http.get(DISCOVERY)

    assert stream.getvalue() == ""
