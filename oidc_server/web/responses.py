"""Responses: status, headers and body, with the security headers of each kind."""

import gzip
from collections.abc import Iterable, Mapping
from copy import copy
from functools import cache
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

Header = tuple[bytes, bytes]

WHOLE_ANSWER = "oidc_server.whole_answer"
"""Key in the ASGI scope: a function that sends status, headers and body at once, or returns
False."""

_WITHOUT_CONTENT = frozenset({204, 304})
"""Statuses without `Content-Length` (RFC 9110 §8.6)."""

STRICT_TRANSPORT: Header = (
    b"strict-transport-security",
    b"max-age=31536000; includeSubDomains",
)


class Kind:
    """The headers that all responses of a kind share, also encoded as they are sent."""

    __slots__ = ("headers", "lines")

    def __init__(self, *headers: Header) -> None:
        self.headers = headers
        self.lines = b"".join(b"%b: %b\r\n" % header for header in headers)


_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
_NO_STORE: tuple[Header, ...] = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
_MACHINE: tuple[Header, ...] = (
    *_ALWAYS,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
)
_PAGE = Kind(
    *_ALWAYS,
    *_NO_STORE,
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        (
            b"publickey-credentials-get=(self), publickey-credentials-create=(self),"
            b" camera=(), microphone=(), geolocation=()"
        ),
    ),
    (b"x-robots-tag", b"noindex"),
    (b"vary", b"cookie"),
)
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self';"
    " connect-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none';"
    " form-action {targets}{frames}"
)
_REDIRECT = Kind(
    *_ALWAYS,
    *_NO_STORE,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
FOR_PROGRAMS = Kind(*_MACHINE, *_NO_STORE)
"""Responses for programs that must not be cached, of any media type."""


@cache
def _kept_nowhere(media_type: str) -> Kind:
    return Kind(*_MACHINE, *_NO_STORE, (b"content-type", media_type.encode("ascii")))


@cache
def _public(max_age: int) -> Kind:
    return Kind(
        *_MACHINE,
        (b"content-type", b"application/json"),
        (b"cache-control", b"public, max-age=%d" % max_age),
        (b"access-control-allow-origin", b"*"),
    )


class Response:
    """A response. The adapter adds the request id and cookies.

    `headers` come in addition to those of its kind.
    """

    __slots__ = ("body", "error", "headers", "kind", "status")

    def __init__(
        self, status: int, kind: Kind, body: bytes = b"", headers: Iterable[Header] = ()
    ) -> None:
        self.status = status
        self.kind = kind
        self.headers: list[Header] = [*headers]
        if status not in _WITHOUT_CONTENT:
            self.headers.append((b"content-length", b"%d" % len(body)))
        self.body = body
        self.error: str | None = None

    def refusing(self, error: str) -> "Response":
        """Say why it is a refusal, for the line in the log; returns this response.

        `error` is a code of OAuth's or the name of a problem type, a word of ours in any case: a
        description may hold what was sent.
        """
        self.error = error
        return self

    def with_header(self, name: str, value: str) -> "Response":
        """Add a header; returns this response."""
        self.headers.append((name.lower().encode("ascii"), value.encode("latin-1")))
        return self

    def replace_header(self, name: str, value: str) -> "Response":
        """Replace a header; returns this response."""
        wanted = name.lower().encode("ascii")
        self.kind = Kind(*(header for header in self.kind.headers if header[0] != wanted))
        self.headers = [header for header in self.headers if header[0] != wanted]
        return self.with_header(name, value)

    def carrying(self, further: Iterable[Header]) -> "Response":
        """A copy with further headers, for a response that many requests share."""
        answer = copy(self)
        answer.headers = [*self.headers, *further]
        return answer

    def header(self, name: str) -> str | None:
        wanted = name.lower().encode("ascii")
        for key, value in (*self.kind.headers, *self.headers):
            if key == wanted:
                return value.decode("latin-1")
        return None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        body = b"" if scope["method"] == "HEAD" else self.body
        send_whole = scope.get(WHOLE_ANSWER)
        if send_whole is not None and send_whole(self.status, self.kind.lines, self.headers, body):
            return
        headers = [*self.kind.headers, *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def html(
    text: str,
    *,
    status: int = 200,
    form_targets: Iterable[str] = (),
    frame_sources: Iterable[str] = (),
    popup: bool = False,
) -> Response:
    """A page. `form_targets` are origins or schemes, beside our own, that its forms may lead to.

    `frame_sources` are the origins that it may load frames from.

    `popup` keeps the tie to the window that opened this one: without it an application that signs
    in through a pop-up would never hear of the end.
    """
    sources = " ".join(frame_sources)
    policy = _PAGE_POLICY.format(
        targets=" ".join(["'self'", *form_targets]),
        frames=f"; frame-src {sources}" if sources else "",
    )
    headers = (
        (b"content-security-policy", policy.encode("ascii")),
        (b"cross-origin-opener-policy", b"unsafe-none" if popup else b"same-origin"),
    )
    return Response(status, _PAGE, text.encode(), headers)


def json(
    body: Mapping[str, Any], *, status: int = 200, media_type: str = "application/json"
) -> Response:
    """A JSON response that must not be cached (RFC 6749 §5.1)."""
    return encoded_json(orjson.dumps(body), status=status, media_type=media_type)


def encoded_json(
    body: bytes, *, status: int = 200, media_type: str = "application/json"
) -> Response:
    """The same, for JSON that is encoded already."""
    return Response(status, _kept_nowhere(media_type), body)


def jwt(token: str, media_type: str = "application/jwt") -> Response:
    """A signed or encrypted response that must not be cached."""
    return Response(200, _kept_nowhere(media_type), token.encode("ascii"))


def public_json(body: bytes, *, max_age: int) -> Response:
    """A public document for everybody, cached for `max_age` seconds, readable from any origin."""
    return Response(200, _public(max_age), body)


def not_modified(document: Response) -> Response:
    """304 for a client that has the document already (RFC 9110 §15.4.5)."""
    kept = (b"cache-control", b"access-control-allow-origin")
    same = (one for one in document.kind.headers if one[0] in kept)
    return Response(304, Kind(*_MACHINE, *same))


def empty(status: int) -> Response:
    """A response for programs without a body."""
    return Response(status, FOR_PROGRAMS)


def see_other(location: str) -> Response:
    """303: the browser follows with GET, whatever the method was (RFC 9700 §4.12)."""
    return Response(303, _REDIRECT, headers=[(b"location", location.encode("ascii"))])


class Compressed(Response):
    """A static file that is kept compressed, and sent so to whoever takes gzip (RFC 9110 §12.5.3).

    All browsers do; for the rest it is unpacked each time.
    """

    __slots__ = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = b",".join(
            value for name, value in scope["headers"] if name == b"accept-encoding"
        )
        headers = [one for one in self.headers if one[0] != b"content-length"]
        if b"gzip" in accepted:
            headers.append((b"content-encoding", b"gzip"))
            body = self.body
        else:
            body = gzip.decompress(self.body)
        await Response(self.status, self.kind, body, headers)(scope, receive, send)


def asset(body: bytes, content_type: str, *, compressed: bool = False) -> Response:
    """A static file under a name that changes with its content, so that caches may keep it."""
    headers = (
        *_ALWAYS,
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"content-type", content_type.encode("ascii")),
        (b"cache-control", b"public, max-age=31536000, immutable"),
    )
    if compressed:
        return Compressed(200, Kind(*headers, (b"vary", b"accept-encoding")), body)
    return Response(200, Kind(*headers), body)
