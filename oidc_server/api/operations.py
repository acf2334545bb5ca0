"""The operations of the API: what one is, and how a table of them becomes routes.

Each feature has such a table (`OPERATIONS`). From it come the routes, the authorization matrix of
the tests, and the document that describes the API: what an operation needs to say is said once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from starlette.routing import Route

from oidc_server.api.access import Caller, Rule, authenticate, refused, subject_of
from oidc_server.api.idempotency import answer_once, idempotency_key
from oidc_server.api.models import read_body, read_query
from oidc_server.domain import audit
from oidc_server.domain.audit import Event, Origin
from oidc_server.domain.base import FieldError
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.web import errors
from oidc_server.web.context import Context
from oidc_server.web.endpoint import Before, Endpoint, Handler, Method
from oidc_server.web.errors import InvalidFieldsError, ProblemError, types
from oidc_server.web.errors.types import ProblemType
from oidc_server.web.load.rate_limit import FAILURES, Limit
from oidc_server.web.protocol import access_with_proof, with_dpop_nonce
from oidc_server.web.responses import Response, json


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation: who calls, about whom, and what came along, validated."""

    ctx: Context
    _caller: Caller | None
    _subject: str | None
    body: Any
    query: Any

    @property
    def caller(self) -> Caller:
        """Who calls: for handlers whose rule asks for a token."""
        assert self._caller is not None, "this operation is open to everybody"  # noqa: S101
        return self._caller

    @property
    def subject(self) -> str:
        """The id of the user that it is about: for handlers whose rule says that there is one."""
        assert self._subject is not None, "this operation is not about a user"  # noqa: S101
        return self._subject

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters in the path, by name."""
        return self.ctx.incoming.path_params

    @property
    def shown_subject(self) -> str:
        """The subject as the caller knows it: its own `sub`, which may be pairwise (Core §8.1)."""
        sub = self.caller.sub if self.subject == self.caller.user_id else None
        return self.subject if sub is None else sub

    def problem(self, kind: ProblemType, detail: str, **members: Any) -> Response:
        """A refusal that is returned, so that what led to it is kept; to undo it all, raise."""
        return errors.as_problem(self.ctx, ProblemError(kind, detail, **members).told())


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation. Without a rule there is none."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    name: str
    """`feature.action`; the first one at an address names its route."""
    summary: str
    description: str = ""
    rule: Rule
    handler: Callable[[Call], BaseModel | Response]
    """What it raises as `FieldError` is told as a field of the body."""
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    """None: the handler returns a response of its own, without a body unless it says otherwise."""
    files: tuple[str, ...] = ()
    """Media types of an answer that is a file."""
    status: int = 200
    problems: tuple[ProblemType, ...] = ()
    """Those beyond what every operation of its kind may answer with."""
    query_example: Mapping[str, Any] | None = None
    body_example: Mapping[str, Any] | None = None
    answer_example: Mapping[str, Any] | None = None
    limit: Limit | None = None
    before: Before | None = None
    idempotent: bool = False
    """Whether it takes an `Idempotency-Key`, and needs one. Not where an answer holds a secret:
    answers are kept."""

    def all_problems(self) -> list[ProblemType]:
        """Every problem that it may answer with, by status."""
        found = {types.INVALID_REQUEST, types.TOO_MANY_REQUESTS, types.UNAVAILABLE, *self.problems}
        if self.rule.scope is not None:
            found |= {types.INVALID_TOKEN, types.INSUFFICIENT_SCOPE, types.NOT_ALLOWED}
        if self.rule.names_user or "{" in self.path:
            found.add(types.NOT_FOUND)
        if self.query is not None:
            found |= {types.INVALID_FIELDS, types.ADDRESS_TOO_LONG}
        if self.body is not None:
            found |= {types.INVALID_FIELDS, types.TOO_LARGE, types.UNSUPPORTED_MEDIA_TYPE}
        if self.idempotent:
            found.add(types.IDEMPOTENCY_KEY_REUSED)
        return [kind for kind in types.PROBLEM_TYPES if kind in found]


def routes(operations: Iterable[Operation]) -> list[Route]:
    """One route for each address, with the methods that the table has for it."""
    by_path: dict[str, list[Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, []).append(operation)
    return [
        Route(
            path,
            Endpoint(
                {operation.method: _method(operation) for operation in found},
                shape=errors.as_problem,
                cross_origin=True,
            ),
            name=found[0].name,
        )
        for path, found in by_path.items()
    ]


def _method(operation: Operation) -> Method:
    return Method(
        _handler(operation),
        access_with_proof if operation.method == "GET" else "write",
        operation.limit,
        operation.before,
        FAILURES,
    )


def _handler(operation: Operation) -> Handler:
    """Who, with what, about whom; then the operation itself, and its answer."""

    def handle(ctx: Context) -> Response:
        try:
            return answer(ctx)
        except ProblemError as error:
            if error.kind is types.NOT_ALLOWED and not operation.rule.for_oneself:
                error.trace = _refusal(operation, ctx.origin, error.detail)
            raise

    def answer(ctx: Context) -> Response:
        try:
            caller = authenticate(ctx, operation.rule)
        except OAuth2Error as error:
            return refused(ctx, error)
        key = idempotency_key(ctx) if operation.idempotent else None
        query = read_query(ctx, operation.query) if operation.query is not None else None
        body = read_body(ctx, operation.body) if operation.body is not None else None
        named = getattr(body if body is not None else query, "user_id", None)
        try:
            subject = subject_of(ctx, caller, operation.rule, named)
        except OAuth2Error as error:
            return refused(ctx, error)
        call = Call(ctx, caller, subject, body, query)
        if key is None or caller is None:
            told = _written(operation, call)
        else:
            told = answer_once(
                ctx, caller, operation.name, key, (subject, body), lambda: _written(operation, call)
            )
        return with_dpop_nonce(ctx, told)

    return handle


def _refusal(operation: Operation, origin: Origin, reason: str) -> Callable[[Context], None]:
    """Record in the audit log that somebody tried what their token allows, but their roles do not.

    A token without the scope is not recorded: every account can get one.
    """

    def record(ctx: Context) -> None:
        audit.record(
            ctx.db,
            Event.OPERATION_REFUSED,
            origin=origin,
            now=ctx.now,
            operation=operation.name,
            reason=reason,
            path=dict(ctx.incoming.path_params),
        )

    return record


def _written(operation: Operation, call: Call) -> Response:
    try:
        answer = operation.handler(call)
    except FieldError as error:
        raise InvalidFieldsError(([error.field], str(error))) from None
    if isinstance(answer, Response):
        return answer
    return json(answer.model_dump(mode="json"), status=operation.status)
