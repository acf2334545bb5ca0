"""The HTTP request, parsed once and strictly, before any handler sees it."""

import re
from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus

from starlette.types import Receive, Scope

from oidc_server.languages import Words
from oidc_server.security.jose import parse_json_object

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
MAX_BODY = 64 * 1024
"""Bytes of a request body; larger ones are refused."""
MAX_QUERY = 16 * 1024
ARRIVED_BODY = "oidc_server.arrived_body"
"""Key in the ASGI scope: a function that returns the body if all of it has arrived, else None."""
_MAX_FIELDS = 200
_QVALUE = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_LONGEST_NUMBER = 18


class BadRequestError(Exception):
    """The request is malformed; the adapter answers in the shape of the endpoint.

    `status` is the HTTP status, the message is for the sender.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class RepeatedParameterError(BadRequestError):
    """A parameter was sent twice (RFC 6749 §3.1, §3.2)."""

    def __init__(self, name: str) -> None:
        super().__init__(Words("The parameter %(name)s was sent more than once.", name=name))
        self.name = name


class Params:
    """Query or form parameters. An empty value counts as absent (RFC 6749 §3.1)."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    @classmethod
    def parse(cls, encoded: bytes) -> "Params":
        """Read `application/x-www-form-urlencoded` bytes; raises `BadRequestError`."""
        values: dict[str, list[str]] = {}
        try:
            pairs = encoded.decode("ascii").split("&")
            if len(pairs) > _MAX_FIELDS:
                raise BadRequestError(
                    Words("More than %(most)s parameters were sent.", most=_MAX_FIELDS)
                )
            for pair in filter(None, pairs):  # `parse_qsl` calls nine functions for each
                name, _, value = pair.partition("=")
                if "%" in pair or "+" in pair:
                    name = unquote_plus(name, errors="strict")
                    value = unquote_plus(value, errors="strict")
                if "\0" in value or "\0" in name:
                    raise BadRequestError(Words("A parameter contains a NUL character."))
                values.setdefault(name, []).append(value)
        except UnicodeDecodeError:
            raise BadRequestError(Words("The parameters are not UTF-8 text.")) from None
        return cls(values)

    def get(self, name: str) -> str | None:
        """The one value of `name`, None when absent or empty; raises `RepeatedParameterError`."""
        values = self._values.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise RepeatedParameterError(name)
        return values[0] or None

    def text(self, name: str) -> str:
        """Like `get`, with "" for what is absent: for the fields of our own pages."""
        return self.get(name) or ""

    def all(self, name: str) -> list[str]:
        """Every non-empty value, for the few parameters that may repeat (RFC 8707 §2)."""
        return [value for value in self._values.get(name, ()) if value]

    def repeated(self) -> list[str]:
        return [name for name, values in self._values.items() if len(values) > 1]

    def single(self, *, may_repeat: Container[str] = ()) -> dict[str, str]:
        """All parameters as a mapping, with the first value of those that may repeat.

        Raises `RepeatedParameterError` if another one was repeated.
        """
        found: dict[str, str] = {}
        for name, values in self._values.items():
            if len(values) > 1 and name not in may_repeat:
                raise RepeatedParameterError(name)
            if value := next(filter(None, values), None):
                found[name] = value
        return found

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)


NO_PARAMS = Params({})


class Incoming:
    """One request: method, path, headers, cookies, query and form."""

    def __init__(self, scope: Scope, body: bytes = b"") -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.body = body
        self.page: str | None = None
        """The route name of the page with the button that was posted, if it has another address."""
        self._headers: dict[str, list[str]] | None = None
        self.counted: set[tuple[object, str]] = set()
        """What this request was counted against already: handlers may run again."""

    def headers(self, name: str) -> Sequence[str]:
        """Every value of a header; Latin-1, as HTTP has it."""
        found = self._headers
        if found is None:  # looked through once, as every request is asked for several
            found = self._headers = {}
            for key, value in self.scope["headers"]:
                found.setdefault(key.decode("latin-1"), []).append(value.decode("latin-1"))
        return found.get(name.lower(), ())

    def header(self, name: str) -> str | None:
        values = self.headers(name)
        return values[0] if values else None

    def prefers(self, media_type: str, *, over: str) -> bool:
        """Whether `Accept` names a media type, with no less weight than another (RFC 9110 §12.5.1).

        A wildcard does not count as naming it.
        """
        liked = dict(_weight(entry) for line in self.headers("accept") for entry in line.split(","))
        return liked.get(media_type, 0.0) > 0 and liked[media_type] >= liked.get(over, 0.0)

    @property
    def sent_path(self) -> str:
        """The path as it was sent, with its escapes; Latin-1, as headers are."""
        path: bytes = self.scope["raw_path"]
        return path.decode("latin-1")

    @property
    def path_params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.scope.get("path_params", {})
        return params

    @cached_property
    def query(self) -> Params:
        encoded: bytes = self.scope["query_string"]
        if len(encoded) > MAX_QUERY:
            raise BadRequestError(Words("The address is too long."), status=414)
        return Params.parse(encoded) if encoded else NO_PARAMS

    @cached_property
    def form(self) -> Params:
        """The form in the body; raises `BadRequestError` for any other kind of body."""
        if not self.body:
            return NO_PARAMS
        self._check_type(FORM_TYPE)
        return Params.parse(self.body)

    @cached_property
    def json(self) -> dict[str, Any]:
        """The JSON object in the body, strictly read; raises `BadRequestError`."""
        return self._read_json(exact=False)

    @cached_property
    def exact_json(self) -> dict[str, Any]:
        """The same, with numbers that have a fraction as `Decimal`."""
        return self._read_json(exact=True)

    def _read_json(self, *, exact: bool) -> dict[str, Any]:
        self._check_type(JSON_TYPE)
        try:
            found = parse_json_object(self.body, exact=exact)
        except ValueError:
            raise BadRequestError("The body is not one well-formed JSON object.") from None
        if _holds_nul(found):
            raise BadRequestError("The body contains a NUL character.")
        return found

    def _check_type(self, expected: str) -> None:
        kind, _, parameters = (self.header("content-type") or "").partition(";")
        if kind.strip().lower() != expected:
            raise BadRequestError(
                Words("Send the parameters as %(kind)s.", kind=expected), status=415
            )
        charset = parameters.partition("charset=")[2].strip().strip('"').lower()
        if charset not in ("", "utf-8"):
            raise BadRequestError(Words("Send the parameters in UTF-8."), status=415)
        if self.header("content-encoding") not in (None, "identity"):
            raise BadRequestError(Words("Compressed bodies are not accepted."), status=415)

    @cached_property
    def everything(self) -> Params:
        """Query and form together; a parameter in both counts as repeated."""
        _ = self.query, self.form
        return Params.parse(b"&".join(filter(None, (self.scope["query_string"], self.body))))

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Cookies by name. One that is sent twice counts as absent: it may have been planted."""
        found: dict[str, str] = {}
        repeated: set[str] = set()
        for header in self.headers("cookie"):
            for pair in header.split(";"):
                name, _, value = pair.strip().partition("=")
                if name in found:
                    repeated.add(name)
                found[name] = value
        return {name: value for name, value in found.items() if name not in repeated}


def arrived_body(scope: Scope) -> bytes | None:
    """The whole body, if nothing has to be waited for; raises `BadRequestError` as `read_body`."""
    arrived = scope.get(ARRIVED_BODY)
    body: bytes | None = None if arrived is None else arrived()
    if body is not None and len(body) > MAX_BODY:
        raise _too_large()
    return body


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body, at most `MAX_BODY` bytes; raises `BadRequestError`."""
    for key, value in scope["headers"]:
        if key == b"content-length" and not _is_small(value):
            raise _too_large()
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            # Half a form must not be taken for a whole one: a password would be cut short.
            raise BadRequestError(Words("The request ended before its end."))
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            raise _too_large()
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _holds_nul(value: Any) -> bool:
    """Whether text in a JSON value, or a name, has what PostgreSQL does not store."""
    if isinstance(value, dict):
        return any("\0" in name or _holds_nul(item) for name, item in value.items())
    if isinstance(value, list):
        return any(_holds_nul(item) for item in value)
    return isinstance(value, str) and "\0" in value


def _is_small(length: bytes) -> bool:
    """Whether a Content-Length is within the limit; Python does not read very long numbers."""
    return len(length) <= _LONGEST_NUMBER and length.isdigit() and int(length) <= MAX_BODY


def _too_large() -> BadRequestError:
    return BadRequestError(
        Words("The request is larger than %(most)s KiB.", most=MAX_BODY // 1024), status=413
    )


def _weight(entry: str) -> tuple[str, float]:
    """One entry of `Accept`, with its weight; 0 for one that cannot be read."""
    media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
    weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
    return media_type, float(weight) if _QVALUE.fullmatch(weight) else 0.0
