"""What is fed: bytes without sense, and requests that are good but for a step or two."""

import base64
import json
from dataclasses import dataclass, replace
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st
from starlette.routing import Route

from oidc_server.routes import ROUTES
from tests.device.devices import DEVICE_CODE
from tests.fuzz.world import EXCHANGE, JWT_BEARER, World
from tests.wire import FORM

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "post")
HEADERS = (
    *("authorization", "content-type", "cookie", "dpop", "origin", "host", "accept"),
    *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "accept-language"),
    *("content-length", "content-encoding", "sec-fetch-site", "user-agent", "x-request-id"),
    *("access-control-request-method", "access-control-request-headers", "referer", "expect"),
)
NASTY: list[bytes] = [
    *(b"", b" ", b"\0", b"null", b"[]", b"{}", b"-1", b"1e400", b"NaN", b"9" * 5000),
    *(b"a" * 9000, b"\r\nset-cookie: a=b", b"\xff\xfe", b"\xed\xa0\x80", b"%zz", b"\xc3\x28"),
    *(b'"><script>alert(1)</script>', b"' OR 1=1 --", b'a"b\\c', b"{{7*7}}", b"../../etc/passwd"),
    *(b"//evil.example", b"https://evil.example/", b"javascript:alert(1)", b"\\\\evil.example"),
    *(b"https://app.example.net@evil.example/callback", b"https://[::1", b"http://127.0.0.1:1/"),
    *(b"https://app.example.net:99999/callback", b"https://app.example.net/callback#x"),
    *(b"openid " * 1000, b"openid\topenid", b"a.b.c", b"." * 100, b"eyJhbGciOiJub25lIn0.e30."),
    *(text.encode() for text in ("é", "\u202e\u2066", "\U0001f600", "\u017f", "\u0661", "é" * 43)),
    *(b"[" * 5000, b'{"a":1,"a":2}', b'{"id_token":[]}', b'{"userinfo":{"sub":{"value":1}}}'),
]

Fields = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Request:
    """One request, as it goes to the server."""

    method: str
    path: str
    query: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query.decode('latin-1')}" if self.query else self.path


def some_bytes(most: int = 200) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=most) | st.sampled_from(NASTY)


def header_values() -> st.SearchStrategy[str]:
    """What HTTP lets through: no end of line and no NUL."""
    return some_bytes().map(
        lambda value: value.translate(None, b"\r\n\0").decode("latin-1").strip(" \t")
    )


@st.composite
def nonsense(draw: st.DrawFn, world: World) -> Request:
    """Any bytes, at any address."""
    route = draw(st.sampled_from(routes()))
    allowed = getattr(route.endpoint, "methods", METHODS)
    headers = draw(st.lists(st.tuples(st.sampled_from(HEADERS), header_values()), max_size=4))
    if draw(st.booleans()):
        headers.append(FORM)
    return Request(
        draw(st.sampled_from(METHODS) | st.sampled_from(sorted(allowed))),
        draw(paths(route, world)),
        draw(some_bytes()) if draw(st.booleans()) else b"",
        tuple(headers),
        draw(some_bytes()),
    )


def routes() -> list[Route]:
    return list(ROUTES)


def paths(route: Route, world: World) -> st.SearchStrategy[str]:
    """The address, with anything in its places."""
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="?"), max_size=50)
    path = st.just(route.path)
    for name in route.param_convertors:
        good = world.values.get(f"path {name}") or world.values.get(name) or ["x"]
        values = st.sampled_from(good) | text | st.sampled_from(["../token", "x" * 5000, "%00"])
        path = st.builds(
            lambda path, value, name=name: path.replace(f"{{{name}}}", value), path, values
        )
    return path


@st.composite
def nearly_good(draw: st.DrawFn, world: World) -> Request:
    """A request as it should be, and one to three steps away from that."""
    request, query, form = draw(good_requests(world))
    for _ in range(draw(st.integers(0, 3))):
        place = query if not form or (query and draw(st.booleans())) else form
        draw(changed_fields(world, place))
        if draw(st.integers(0, 7)) == 0:
            request = draw(changed_manners(request, query, form))
    return replace(request, query=encoded(query), body=request.body or encoded(form))


@st.composite
def good_requests(draw: st.DrawFn, world: World) -> tuple[Request, Fields, Fields]:
    """What a client or a browser sends to an endpoint; to an unknown one, anything known."""
    known = draw(st.sampled_from([*RECIPES, None, *_OFTEN]))
    if known is None:
        route = draw(st.sampled_from(routes()))
        recipe = draw(st.sampled_from([recipe for found in RECIPES.values() for recipe in found]))
        method = draw(st.sampled_from(sorted(getattr(route.endpoint, "methods", METHODS))))
        path = draw(paths(route, world))
    else:
        method, _, path = known.partition(" ")
        path = path.replace("{request_id}", world.request_id)
        path = path.replace("{client_id}", world.values["path client_id"][0])
        recipe = draw(st.sampled_from(RECIPES[known]))
    headers: tuple[tuple[str, str], ...] = (("cookie", world.cookie),)
    fields: list[tuple[str, str]] = []
    if recipe.client is not None:
        proof, fields = world.authentication(recipe.client)
        headers = (*headers, *proof)
    if recipe.proof:
        headers = (*headers, ("dpop", world.proof(path)))
    if recipe.bearer is not None:
        token = world.values[recipe.bearer][0]
        headers = (*headers, ("authorization", f"Bearer {token}"))
    form = [(name.encode(), value.encode()) for name, value in fields]
    for part in (*recipe.fields, *draw(some_names(world))):
        name, equals, value = part.partition("=")
        form.append((name.encode(), value.encode() if equals else draw(good_value(world, name))))
    if method not in ("POST", "PUT"):
        return Request(method, path, headers=headers), form, []
    return Request(method, path, headers=(*headers, FORM, ("origin", world.site.issuer))), [], form


@dataclass(frozen=True)
class Recipe:
    """Parameters that go together (`name`, or `name=value`), and who sends them.

    `bearer` names the token of a request with one; with `proof` a key is proved (DPoP).
    """

    fields: tuple[str, ...] = ()
    client: str | None = None
    bearer: str | None = None
    proof: bool = False


_AUTHORIZE = (
    *("response_type=code", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method=S256"),
)
_CODE = ("grant_type=authorization_code", "code", "redirect_uri", "code_verifier")
_DEVICE = (f"grant_type={DEVICE_CODE}", "device_code")
_ACCOUNT = ("csrf_token", "request_id", "username", "email", "name", "password")
_EXCHANGE = ("subject_token", "subject_token_type", "actor_token", "actor_token_type")

RECIPES: dict[str, list[Recipe]] = {
    "GET /authorize": [
        Recipe((*_AUTHORIZE, "client_id")),
        Recipe((*_AUTHORIZE, "client_id", "claims", "prompt")),
        Recipe(("client_id", "request")),
        Recipe(("client_id", "request_uri")),
    ],
    "POST /authorize": [Recipe((*_AUTHORIZE, "client_id"))],
    "POST /par": [
        *(Recipe(_AUTHORIZE, client) for client in ("basic", "public", "post")),
        Recipe((*_AUTHORIZE, "dpop_jkt"), "basic", proof=True),
        Recipe(("request",), "basic"),
    ],
    "GET /authorize/{request_id}": [Recipe()],
    "POST /token": [
        Recipe(_CODE, "basic"),
        Recipe(_CODE, "public"),
        Recipe(("grant_type=refresh_token", "refresh_token", "scope"), "basic"),
        Recipe(("grant_type=client_credentials", "scope=things", "resource"), "service"),
        Recipe(("grant_type=client_credentials", "scope=things"), "signing"),
        Recipe(("grant_type=password", "username", "password", "scope"), "trusted"),
        Recipe(_CODE, "basic", proof=True),
        Recipe(_DEVICE, "device"),
        Recipe((f"grant_type={JWT_BEARER}", "assertion", "scope"), "speaking"),
        Recipe((f"grant_type={EXCHANGE}", *_EXCHANGE), "exchanging"),
        Recipe((f"grant_type={EXCHANGE}", *_EXCHANGE[:2], "scope", "audience"), "exchanging"),
    ],
    "POST /device_authorization": [Recipe(("scope",), client) for client in ("device", "basic")],
    "GET /device": [Recipe(("user_code",))],
    "POST /device": [Recipe(("csrf_token", "user_code"))],
    "POST /device/{request_id}": [Recipe(("csrf_token", "decision", "same_code=yes"))],
    "POST /introspect": [Recipe(("token", "token_type_hint"), "basic")],
    "POST /revoke": [
        Recipe(("token", "token_type_hint"), client) for client in ("public", "post", "signing")
    ],
    "GET /userinfo": [Recipe(bearer="access_token")],
    "POST /userinfo": [Recipe(("access_token",))],
    "GET /logout": [Recipe(("id_token_hint", "post_logout_redirect_uri", "state"))],
    "POST /logout": [Recipe(("id_token_hint", "post_logout_redirect_uri", "state"))],
    "GET /register/{client_id}": [Recipe(bearer="registration")],
    "GET /login": [Recipe(("request_id",))],
    "POST /login": [Recipe(("csrf_token", "request_id", "username", "password"))],
    "POST /consent/{request_id}": [Recipe(("csrf_token", "decision", "sid"))],
    "POST /select-account/{request_id}": [Recipe(("csrf_token", "sid"))],
    "POST /sign-up": [Recipe(_ACCOUNT)],
    "POST /password-reset": [Recipe(("csrf_token", "email", "username"))],
    "POST /password-reset/new": [Recipe(("csrf_token", "link", "password"))],
    "GET /verify-email": [Recipe(("link",))],
    "POST /verify-email": [Recipe(("csrf_token", "link"))],
    "POST /setup": [Recipe((*_ACCOUNT, "link"))],
}


_OFTEN = (*["POST /token"] * 8, *["GET /authorize"] * 4, "POST /introspect", "POST /revoke")


def some_names(world: World) -> st.SearchStrategy[list[str]]:
    known = sorted(name for name in world.values if " " not in name)
    return st.just([]) | st.lists(st.sampled_from(known), max_size=2)


@st.composite
def good_value(draw: st.DrawFn, world: World, name: str) -> bytes:
    """A good value for the parameter; codes are made when they are drawn."""
    fresh = draw(st.booleans())
    if name == "code" and fresh:
        return world.code().encode()
    if name == "request_uri" and fresh:
        return world.request_uri().encode()
    if name in ("device_code", "user_code") and fresh:
        return world.device_codes()[name].encode()
    if name in ("client_id", "redirect_uri", "request", "assertion") and fresh:
        return world.values[name][0].encode()
    return draw(st.sampled_from(world.values[name])).encode()


@st.composite
def changed_fields(draw: st.DrawFn, world: World, fields: Fields) -> None:
    """One step: a field left out, sent twice, renamed, exchanged, bent, or one too many."""
    step = draw(st.sampled_from(("drop", "repeat", "rename", "nasty", "bend", "exchange", "add")))
    if step == "add" or not fields:
        name = draw(st.sampled_from(sorted(world.values)).map(str.encode) | st.binary(max_size=20))
        fields.append((name, draw(some_bytes())))
        return
    at = draw(st.integers(0, len(fields) - 1))
    name, value = fields[at]
    match step:
        case "drop":
            del fields[at]
        case "repeat":
            fields.append((name, draw(st.just(value) | some_bytes())))
        case "rename":
            endings = (b"[]", b"[0]", b"[a]", b".a", b" ", b"\0")
            fields[at] = draw(st.sampled_from(endings).map(name.__add__) | some_bytes()), value
        case "nasty":
            fields[at] = name, draw(some_bytes())
        case "bend":
            fields[at] = name, draw(bent(value))
        case "exchange":
            others = [one for values in world.values.values() for one in values]
            fields[at] = name, draw(st.sampled_from(others)).encode()


@st.composite
def bent(draw: st.DrawFn, value: bytes) -> bytes:
    """The value cut, lengthened, doubled, in other letters, or with one byte of it changed."""
    at = draw(st.integers(0, max(0, len(value) - 1)))
    options = (
        value[:at],
        value[at:],
        value + draw(st.binary(min_size=1, max_size=3)),
        b" " + value,
        value + b"\n",
        value * 2,
        value.swapcase(),
        value[:at] + draw(st.binary(min_size=1, max_size=1)) + value[at + 1 :],
        value[:at] + draw(st.sampled_from(NASTY)) + value[at:],
        b".".join(reversed(value.split(b"."))),
    )
    return draw(st.sampled_from(options))


@st.composite
def changed_manners(draw: st.DrawFn, request: Request, query: Fields, form: Fields) -> Request:
    """One step: the fields in the wrong place, other headers, another method, another body."""
    match draw(st.sampled_from(("move", "double", "header", "method", "json", "basic", "raw"))):
        case "move":
            query += form
            form.clear()
        case "double":
            query += form
        case "method":
            return replace(request, method=draw(st.sampled_from(METHODS)))
        case "json":
            text = json.dumps(
                {name.decode("latin-1"): value.decode("latin-1") for name, value in form}
            )
            kind = ("content-type", "application/json")
            return replace(request, headers=(*request.headers, kind), body=text.encode())
        case "basic":
            pair = draw(some_bytes()) + draw(st.sampled_from((b":", b""))) + draw(some_bytes())
            header = ("authorization", f"Basic {base64.b64encode(pair).decode()}")
            return replace(request, headers=(*request.headers, header))
        case "raw":
            return replace(request, body=draw(some_bytes()))
        case "header":
            header = (draw(st.sampled_from(HEADERS)), draw(header_values()))
            return replace(request, headers=(*request.headers, header))
    return request


def encoded(fields: Fields) -> bytes:
    return b"&".join(
        b"%s=%s" % (quote_from_bytes(name).encode(), quote_from_bytes(value).encode())
        for name, value in fields
    )


# · JSON

SCALARS: list[str] = [
    *("null", "true", "0", "-1", "1.5", "1e999", "9" * 5000, "NaN", "Infinity", '""', '"x"'),
    *('"\\u0000"', '"\\ud800"', '"\\u202e"', f'"{"a" * 5000}"', "[]", "{}", "[null]", '{"a":1}'),
    *(
        "[" * 3000 + "]" * 3000,
        "[" * 900 + "]" * 900,
        '{"a":' * 3000 + "1" + "}" * 3000,
        '{"a":1,"a":2}',
        "[,]",
        "tru",
    ),
    *('"https://app.example.net/callback"', '["https://app.example.net/callback"]'),
    *('"javascript:alert(1)"', '["https://app.example.net/callback", 1]', '"http://[::1"'),
    *('["https://é.example/"]', '["https://app.example.net:99999/"]', '["app.example:/x"]'),
    *('["https://a\\u0000b/"]', "[" + ",".join(['"https://a.example/"'] * 3000) + "]"),
    *('"none"', '"ES256"', '["code"]', '["authorization_code"]', '["client_credentials"]'),
    *('{"keys":[]}', '{"keys":[null]}', '{"keys":[{"kty":"EC"}]}', '{"keys":{"kty":"RSA"}}'),
    *('{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}', '{"keys":[{"kty":["EC"],"crv":1}]}'),
    *('{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}', '{"keys":[{"kty":"oct"}]}'),
    *('{"keys":[{"kty":"OKP","crv":"Ed25519","x":"é"}]}', '{"keys":[{"kty":"RSA","n":1,"e":[]}]}'),
]
MEMBERS: dict[str, str] = {
    "client_name": '"Ledger"',
    "redirect_uris": '["https://app.example.net/callback"]',
    "grant_types": '["authorization_code","refresh_token"]',
    "response_types": '["code"]',
    "scope": '"openid email"',
    "token_endpoint_auth_method": '"client_secret_basic"',
    "contacts": '["somebody@example.com"]',
    "default_max_age": "3600",
    "application_type": '"web"',
    "id_token_signed_response_alg": '"ES256"',
}


@st.composite
def descriptions(draw: st.DrawFn, names: list[str], *, at: str, token: str) -> Request:
    """A client's description of itself in JSON, with one to three members that are none."""
    members = list(MEMBERS.items())
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(names) | st.text(max_size=8))
        value = draw(st.sampled_from(SCALARS) | json_values())
        if name == "sector_identifier_uri" and "https:" in value:
            value = "1"  # a good one would be fetched
        if draw(st.booleans()):
            members = [pair for pair in members if pair[0] != name]
        members.append((name, value))
    text = "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members) + "}"
    body = draw(st.just(text.encode("utf-8", "surrogatepass")) | bent(text.encode()))
    headers = (("content-type", "application/json"), ("authorization", f"Bearer {token}"))
    if at == "/register":
        return Request("POST", at, headers=headers[:1], body=body)
    return Request("PUT", at, headers=headers, body=body)


def json_values() -> st.SearchStrategy[str]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=8,
    ).map(json.dumps)
