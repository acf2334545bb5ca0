"""The first step of reading any token: strict checks of its form, before keys are used."""

import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel

from oidc_server.security import base64url

MAX_TOKEN_LENGTH = 16_384
"""Longer tokens are refused unread."""

_DEEPEST = 64
"""Nesting that recursive functions can walk, however deep the stack is already."""

Claims = dict[str, Any]
ClaimError = JoseError
"""What joserfc, and Authlib with it, raises for a claim that does not hold."""


def read_header(token: str) -> dict[str, Any]:
    """The header of a compact JWS, unverified; ValueError for a token that nobody may read."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise ValueError("too long")
    header = parse_json_object(base64url.decode(token.partition(".")[0]))
    # We understand no extension, so RFC 7515 §4.1.11 has us refuse whatever is critical.
    if "crit" in header or "b64" in header:
        raise ValueError("has critical extensions")
    return header


def parse_json_object(data: bytes, *, exact: bool = False) -> dict[str, Any]:
    """A JSON object and nothing but; ValueError for the rest.

    Refused as well, since parsers may read them differently: duplicate members, NaN, lone
    surrogates, deep nesting (RFC 8259 §4, RFC 8725 §2.4).

    `exact` keeps a number with a fraction as it is written: a `Decimal`, unless it has an exponent.
    An integer of more than 64 bits is a float either way: nobody could write it as JSON again.
    """
    value = orjson.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - wrong input, not a wrong call
    # Counting brackets is cheap, and few documents have enough of them to be nested so deeply.
    if data.count(b"[") + data.count(b"{") > _DEEPEST and _is_deep(value):
        raise ValueError("nested too deeply")
    kept: dict[str, Any] = json.loads(
        data,
        object_pairs_hook=_refuse_duplicates,
        parse_float=_as_written if exact else None,
        parse_int=_integer if exact else None,
    )
    return kept if exact else value


class Registry(jws.JWSRegistry):
    """joserfc's rules, with our sizes, unknown headers ignored, and EdDSA without its warning.

    The library would have us write Ed25519 (RFC 9864); clients in the field know EdDSA only.
    """

    max_header_length = 2048
    max_payload_length = MAX_TOKEN_LENGTH

    def __init__(self, algorithms: Collection[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError("not allowed here")
        return self.algorithms[name]


def media_type(typ: object) -> str | None:
    """`typ` is a media type whose `application/` may be left out (RFC 7515 §4.1.9)."""
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else None


def _is_deep(value: Any) -> bool:
    """Whether a JSON value is nested more than `_DEEPEST` times."""
    level = [value]
    for _ in range(_DEEPEST):
        inside: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inside += item.values()
            elif isinstance(item, list):
                inside += item
        level = inside
    return any(isinstance(item, dict | list) for item in level)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _as_written(number: str) -> Decimal | float:
    return float(number) if "e" in number.lower() else Decimal(number)


def _integer(number: str) -> int | float:
    value = int(number)
    return value if -(2**63) <= value < 2**64 else float(number)
