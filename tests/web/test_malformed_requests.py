"""Whatever arrives, every address answers 4xx in its own shape and keeps nothing of it."""

import base64
import json
import re

import pytest

from oidc_server.routes import ROUTES
from oidc_server.web.endpoint import Endpoint
from oidc_server.web.errors import as_oauth, as_problem
from tests.factories import make_client
from tests.site import Site
from tests.wire import FORM, Raw, ask, row_counts

ENDPOINTS = {
    re.sub(r"\{[a-z_]+_id\}", "019b8d62-7a80-73a1-acf1-88f9fcf744e7", route.path): route.endpoint
    for route in ROUTES
    if isinstance(route.endpoint, Endpoint)
}
OF_THE_API = {path for path, endpoint in ENDPOINTS.items() if endpoint._shape is as_problem}
TAKES_JSON = {"/register"} | OF_THE_API
TAKES_ANYTHING = {"/forward-auth/request/{address:path}"}
"""What is asked about the request of somebody else: its body is read by nobody."""
TAKES_FORMS = sorted(
    path
    for path, endpoint in ENDPOINTS.items()
    if "POST" in endpoint.methods and path not in TAKES_JSON | TAKES_ANYTHING
)
MACHINES = sorted(path for path, endpoint in ENDPOINTS.items() if endpoint._shape is as_oauth)
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "BREW")


def in_its_shape(path: str, answer: Raw) -> None:
    """An OAuth error from an endpoint for programs, a page from one for people."""
    assert 400 <= answer.status < 500, (path, answer.status, answer.text[:200])
    assert "traceback" not in answer.text.lower()
    if path in MACHINES:
        assert answer.header("content-type") == "application/json"
        body = json.loads(answer.body)
        assert re.fullmatch("[a-z_]+", body["error"])
        assert DESCRIPTION.fullmatch(body["error_description"])
        assert body["reference"] == answer.header("x-request-id")
    elif path in OF_THE_API:
        assert answer.header("content-type") == "application/problem+json"
        body = json.loads(answer.body)
        assert body["type"].startswith("https://id.example.com/problems/")
        assert body["status"] == answer.status
        assert body["reference"] == answer.header("x-request-id")
    else:
        assert answer.header("content-type") == "text/html; charset=utf-8"
        assert "<h1" in answer.text
    assert answer.header("location") is None
    assert answer.header("cache-control") == "no-store"


BODIES: list[tuple[str, str, bytes, int]] = [
    ("JSON", "application/json", b'{"grant_type":"client_credentials"}', 415),
    ("multipart", "multipart/form-data; boundary=x", b"--x\r\n\r\n--x--\r\n", 415),
    ("plain text", "text/plain", b"grant_type=client_credentials", 415),
    ("no type", "", b"grant_type=client_credentials", 415),
    ("another charset", f"{FORM[1]}; charset=iso-8859-1", b"a=b", 415),
    ("NUL in a value", FORM[1], b"token=a%00b&client_id=x", 400),
    ("NUL in a name", FORM[1], b"to%00ken=a", 400),
    ("raw NUL", FORM[1], b"token=a\x00b", 400),
    ("not UTF-8", FORM[1], b"token=%ff%fe&client_id=%c3%28", 400),
    ("half a surrogate", FORM[1], b"token=%ed%a0%80", 400),
    ("raw bytes", FORM[1], b"token=\xff\xfe", 400),
    ("many fields", FORM[1], b"&".join(b"a%d=1" % n for n in range(300)), 400),
    ("one megabyte", FORM[1], b"a=" + b"b" * 1_000_000, 413),
]


@pytest.mark.parametrize(
    ("content_type", "body", "status"), [case[1:] for case in BODIES], ids=[c[0] for c in BODIES]
)
def test_a_body_that_cannot_be_read_is_refused(
    site: Site, content_type: str, body: bytes, status: int
) -> None:
    before = row_counts(site)
    headers = (("content-type", content_type),) if content_type else ()

    for path in TAKES_FORMS:
        answer = ask(site, "POST", path, headers=headers, body=body)

        in_its_shape(path, answer)
        assert answer.status == status, path
    assert row_counts(site) == before


def test_a_body_that_claims_to_be_large_or_packed_is_refused(site: Site) -> None:
    for path in TAKES_FORMS:
        for header, status in (
            (("content-length", "1000000000"), 413),
            (("content-encoding", "gzip"), 415),
        ):
            answer = ask(site, "POST", path, headers=(FORM, header), body=b"a=b")

            in_its_shape(path, answer)
            assert answer.status == status, path


QUERIES = ("x=%00", "x=%ff%fe", "x=\xff", "x=%ed%a0%80", "&".join(["a=1"] * 300))


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_a_query_that_cannot_be_read_is_refused_or_not_read(site: Site, query: str) -> None:
    before = row_counts(site)

    for path, endpoint in ENDPOINTS.items():
        answer = ask(site, "GET" if "GET" in endpoint.methods else "POST", f"{path}?{query}")

        assert answer.status < 500 or path.startswith("/health"), path
        if path in ("/authorize", "/login", "/logout"):
            in_its_shape(path, answer)
    assert row_counts(site) == before


REPEATED = [
    ("/userinfo", "access_token"),
    *[
        (path, name)
        for path in ("/token", "/introspect", "/revoke")
        for name in ("grant_type", "client_id", "client_secret", "token", "scope", "code", "x")
    ],
]


@pytest.mark.parametrize(("path", "name"), REPEATED)
def test_a_parameter_sent_twice_is_refused(site: Site, path: str, name: str) -> None:
    app = make_client(site, "service")
    pair = f"{app.client_id}:{app.client_secret}".encode()
    headers = (FORM, ("authorization", f"Basic {base64.b64encode(pair).decode()}"))
    before = row_counts(site)

    answer = ask(site, "POST", path, headers=headers, body=f"{name}=a&{name}=a".encode())

    in_its_shape(path, answer)
    assert answer.status == 400
    assert '"error":"invalid_request"' in answer.text
    assert row_counts(site) == before


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_what_stands_in_the_address_does_not_count(site: Site, path: str) -> None:
    app = make_client(site, "service", token_endpoint_auth_method="client_secret_post")
    query = f"client_id={app.client_id}&client_secret={app.client_secret}"
    fields = "grant_type=client_credentials&token=x"

    everything = ask(site, "POST", f"{path}?{query}&{fields}", headers=(FORM,))
    credentials = ask(site, "POST", f"{path}?{query}", headers=(FORM,), body=fields.encode())
    nothing = ask(site, "POST", f"{path}?{fields}", headers=(FORM,), body=query.encode())

    in_its_shape(path, everything)
    assert credentials.status == 401
    assert nothing.status == 400


def test_a_method_that_does_not_fit_is_told_which_do(site: Site) -> None:
    before = row_counts(site)

    for path, endpoint in ENDPOINTS.items():
        for method in METHODS:
            if method in endpoint.methods:
                continue
            answer = ask(site, method, path, headers=(FORM,), body=b"a=b")

            assert answer.status == 405, (method, path)
            assert answer.header("allow") == ", ".join(sorted(endpoint.methods))
            if not path.startswith("/health"):
                in_its_shape(path, answer)
    assert row_counts(site) == before


def test_no_header_changes_the_method(site: Site) -> None:
    override = ("x-http-method-override", "POST")

    answer = ask(site, "GET", "/token?_method=POST", headers=(override,))

    assert answer.status == 405


def test_head_is_get_without_a_body_unless_get_has_effects(site: Site) -> None:
    for path, endpoint in ENDPOINTS.items():
        get, head = (ask(site, method, path) for method in ("GET", "HEAD"))

        assert head.status == (405 if endpoint.get_writes else get.status), path
        assert head.body == b""
        assert (get.status == 405) == ("GET" not in endpoint.methods)


ODD_IDS = ("x", "%00", "\x00", "../token", "019b8d62", "\xff", "x" * 5000, "'; DROP TABLE users")


@pytest.mark.parametrize("request_id", ODD_IDS)
@pytest.mark.parametrize("place", ["/authorize/{}", "/consent/{}", "/login?request_id={}"])
def test_an_id_that_is_none_is_over_or_nowhere(site: Site, place: str, request_id: str) -> None:
    before = row_counts(site)

    answer = ask(site, "GET", place.format(request_id))

    in_its_shape("a page", answer)
    assert answer.status in (400, 404)
    assert row_counts(site) == before


@pytest.mark.parametrize("grant_type", ["", "implicit", "x" * 5000, '\u00e9"\\', "a b", "null"])
def test_an_unknown_grant_is_told_in_plain_characters(site: Site, grant_type: str) -> None:
    app = make_client(site, "service")

    answer = site.http.post(
        "/token",
        data={"grant_type": grant_type},
        auth=(app.client_id, app.client_secret or ""),
    )

    expected = "unsupported_grant_type" if grant_type else "invalid_request"
    assert (answer.status_code, answer.json()["error"]) == (400, expected)
    assert DESCRIPTION.fullmatch(answer.json()["error_description"])


@pytest.mark.parametrize("depth", [64, 600, 900, 990, 1010, 5000])
def test_a_description_that_is_nested_deeply_is_refused_at_any_depth(
    open_site: Site, depth: int
) -> None:
    body = b'{"redirect_uris":["https://app.example.net/cb"],"x":' + b"[" * depth + b"]" * depth

    answer = ask(
        open_site,
        "POST",
        "/register",
        headers=(("content-type", "application/json"),),
        body=body + b"}",
    )

    in_its_shape("/register", answer)
    assert answer.status == 400
