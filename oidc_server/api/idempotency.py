"""`Idempotency-Key`: a request that is sent again is carried out once."""

import hashlib
from collections.abc import Callable

from pydantic import BaseModel

from oidc_server.api.access import Caller
from oidc_server.domain import idempotency
from oidc_server.domain.idempotency import Kept
from oidc_server.web.context import Context
from oidc_server.web.errors import ProblemError, types
from oidc_server.web.incoming import BadRequestError
from oidc_server.web.responses import Response, encoded_json

_LONGEST = 255


def idempotency_key(ctx: Context) -> str:
    """The key of a request; raises `BadRequestError` unless there is one good one."""
    sent = ctx.incoming.headers("idempotency-key")
    if len(sent) != 1:
        raise BadRequestError(
            "Send one header Idempotency-Key: a new value, such as a UUID, for what is new;"
            " the same one to try again."
        )
    key = sent[0]
    if not 1 <= len(key) <= _LONGEST or not all("!" <= char <= "~" for char in key):
        raise BadRequestError("An Idempotency-Key has 1 to 255 visible ASCII characters.")
    return key


def answer_once(
    ctx: Context,
    caller: Caller,
    operation: str,
    key: str,
    request: tuple[str | None, BaseModel | None],
    work: Callable[[], Response],
) -> Response:
    """Do the work and keep its answer, or give the answer that was kept.

    All in the transaction of the request: the key, the effect and the answer commit together, and
    of simultaneous requests the others wait. A refusal that is returned is kept as well; one that
    is raised undoes the claim with the rest, and leaves the key as new.
    """
    subject, body = request
    sent = body.model_dump_json() if body is not None else ""
    fingerprint = hashlib.sha256(f"{ctx.incoming.path}\0{subject}\0{sent}".encode()).digest()
    digest = idempotency.digest(caller.client_id, caller.user_id, operation, key)
    found = idempotency.claim(ctx.db, digest, fingerprint, ctx.now)
    if found is not None:
        return _again(found, fingerprint)
    answer = work()
    idempotency.keep(ctx.db, digest, answer.status, answer.body)
    return answer


def _again(found: Kept, fingerprint: bytes) -> Response:
    if found.fingerprint != fingerprint:
        raise ProblemError(
            types.IDEMPOTENCY_KEY_REUSED, "This key came with another request before."
        )
    media_type = "application/json" if found.status < 400 else "application/problem+json"
    answer = encoded_json(found.body, status=found.status, media_type=media_type)
    return answer.with_header("idempotent-replayed", "true")
