"""The adapter: turns a plain sync handler into an ASGI endpoint.

It parses the body, applies limits, verifies passwords outside any transaction, runs the handler in
one transaction in the lane of the database, and turns errors into responses of one shape. Returning
a response commits; raising rolls back. An expected refusal (wrong password, replayed code) must
therefore be *returned*: its counters, revocations and audit rows have to survive.

A handler that needs a document from another server raises `FetchNeeded`: its transaction is rolled
back, the document is fetched in a lane of its own, and the handler runs again. `CountNeeded` works
alike, for a limit that is counted in Redis.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.types import Receive, Scope, Send

from oidc_server.database import Access, ConflictError, DatabaseUnavailableError
from oidc_server.domain import attempts
from oidc_server.outbound.documents import FetchNeeded
from oidc_server.web import cors, errors, observing, responses
from oidc_server.web.context import Context
from oidc_server.web.errors import MethodNotAllowedError, NotFoundError, ProblemError, Shape
from oidc_server.web.incoming import Incoming, arrived_body, read_body
from oidc_server.web.load.gate import OverloadedError
from oidc_server.web.load.lanes import Errand, FetchingBusyError, HashingBusyError, Inquiry
from oidc_server.web.load.rate_limit import CountNeeded, Limit
from oidc_server.web.responses import Response
from oidc_server.web.runtime import Runtime

Handler = Callable[[Context], Response]
Before = Callable[[Context], Any]
"""Runs before the handler, in a writing transaction of its own if the handler has a transaction. It
returns the proof; or a function that computes it, which runs in the hashing lane without a
transaction; or an `Inquiry` or an `Errand`, which ask another service first."""

AccessRule = Access | None | Callable[[Incoming], Access | None]
"""The access of the transaction; None for no transaction. Fixed, or chosen by the request."""

FailureRule = Limit | None | Callable[[Incoming], Limit | None]
"""The limit of failed authentications. Fixed, or chosen by the request."""

_ATTEMPTS = 3
_FETCHES = 6
"""How often a handler may raise `FetchNeeded` or `CountNeeded` in one request: for keys, a request
object, a sector, two counts, and one spare."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Method:
    """The handler for one HTTP method of an address, and its policy."""

    handler: Handler
    access: AccessRule
    limit: Limit | None = None
    """Of requests, by address."""
    before: Before | None = None
    failures: FailureRule = None
    """Of authentications that failed, by address."""
    needs_before: Callable[[Context], bool] | None = None
    """Whether this request needs `before` at all; if not, a transaction is saved."""
    meanwhile: Handler | None = None
    """Answers while the database is away, without it; if there is none, that is an error."""


class Endpoint:
    """The ASGI application of one address: its methods, and what they share."""

    def __init__(
        self,
        methods: dict[str, Method],
        *,
        shape: Shape,
        own_forms: bool = False,
        cross_origin: bool = False,
        always: bool = False,
        page: str | None = None,
    ) -> None:
        """`always` skips the gate: health checks are answered for any `Host` and under any load.

        `page` is the route name of the page with the button that posts here, if it is another one.
        """
        self._methods = methods
        self._shape = shape
        self._for_people = shape is errors.as_page
        self._own_forms = own_forms
        self._cross_origin = cross_origin
        self._always = always
        self._page = page
        self.methods = frozenset(methods)

    @property
    def get_writes(self) -> bool:
        """Whether GET has effects; HEAD, which is safe (RFC 9110 §9.2.1), is refused then."""
        return "GET" in self._methods and self._methods["GET"].access == "write"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        runtime: Runtime = scope["app"].runtime
        request = observing.begin(scope, runtime.route_names.get(self, observing.UNKNOWN))
        status, error = observing.BROKEN_OFF, None
        try:
            with runtime.gate:
                response = await self._response(scope, receive, runtime, request.request_id)
            response.headers += observing.headers(request)
            status, error = response.status, response.error
            await response(scope, receive, send)
        finally:
            observing.end(request, scope["method"], status, runtime.slow_after, error)

    async def _response(
        self, scope: Scope, receive: Receive, runtime: Runtime, reference: str
    ) -> Response:
        incoming, look_up_origin = Incoming(scope), True
        incoming.page = self._page
        try:
            if not self._always:
                runtime.gate.check(scope)
            response = await self._answer(incoming, runtime, reference, receive)
        except Exception as error:  # noqa: BLE001 - the one place that answers for everything
            ctx = Context(incoming, runtime, reference)
            response = ctx.finish(errors.answer(ctx, error, self._shape))
            look_up_origin = not isinstance(error, OverloadedError)
        is_of_script = self._cross_origin and incoming.header("origin") is not None
        if is_of_script and incoming.method != "OPTIONS":
            ctx = Context(incoming, runtime, reference)
            await self._let_origin_read(ctx, response, look_up=look_up_origin)
        if runtime.settings.secure_cookies:
            response.headers.append(responses.STRICT_TRANSPORT)
        return response

    async def _answer(
        self, incoming: Incoming, runtime: Runtime, reference: str, receive: Receive
    ) -> Response:
        self._refuse_at_once(incoming)
        method = self._methods.get("GET" if incoming.method == "HEAD" else incoming.method)
        if method is None:
            if incoming.method == "OPTIONS" and self._cross_origin:
                ctx = Context(incoming, runtime, reference)
                preflight = partial(cors.preflight, methods=self.methods)
                answer: Response = await self._in_transaction(ctx, preflight, "read")
                return answer
            raise MethodNotAllowedError(self.methods, of_button=self._page is not None)
        if incoming.method in _WITH_BODY:
            body = arrived_body(incoming.scope)
            if body is None:
                body = await runtime.gate.outside(read_body(incoming.scope, receive))
            incoming.body = body
        ctx = Context(incoming, runtime, reference)
        failures = method.failures(incoming) if callable(method.failures) else method.failures
        await self._count(method.limit, failures, ctx)
        if self._own_forms and incoming.method == "POST":
            ctx.check_form()
        if method.before is not None and (method.needs_before is None or method.needs_before(ctx)):
            ctx.proof = await self._prove(ctx, method.before, method.access and "write")
        response = await self._handle(ctx, method)
        if response.status == 401 and failures is not None:
            await runtime.limiter.failed(failures, ctx.counted_as)
        return response

    async def _handle(self, ctx: Context, method: Method) -> Response:
        incoming = ctx.incoming
        access = method.access(incoming) if callable(method.access) else method.access
        try:
            response: Response = await self._in_transaction(ctx, method.handler, access)
        except ProblemError as error:
            if error.trace is not None:
                await self._in_transaction(ctx, error.trace, "write")
            raise
        except DatabaseUnavailableError:
            if method.meanwhile is None:
                raise
            response = await self._in_transaction(ctx, method.meanwhile, None)
        return response

    async def _count(self, limit: Limit | None, failures: Limit | None, ctx: Context) -> None:
        limiter = ctx.runtime.limiter
        if failures is not None:
            limiter.check(failures, ctx.counted_as)
        if limit is not None:
            await limiter.admit(limit, ctx.counted_as)

    def _refuse_at_once(self, incoming: Incoming) -> None:
        """Raise `NotFoundError` or `MethodNotAllowedError` where the handler is not needed for it.

        PostgreSQL stores no NUL, so no path parameter with one can exist.
        """
        named = incoming.path_params
        if named and any("\0" in str(name) for name in named.values()):
            raise NotFoundError
        if incoming.method == "HEAD" and self.get_writes:
            raise MethodNotAllowedError(self.methods)

    async def _let_origin_read(self, ctx: Context, response: Response, *, look_up: bool) -> None:
        """Add the CORS headers, to errors too: a script has to see why it was refused.

        If the origin cannot be looked up the response stays as it is. Under overload it is not even
        looked up.
        """
        allow = partial(cors.allow, response=response, look_up=look_up)
        with suppress(DatabaseUnavailableError, ConflictError, OverloadedError):
            await self._in_transaction(ctx, allow, "read" if look_up else None)

    async def _prove(self, ctx: Context, before: Before, access: Access | None) -> Any:
        """Run `before`, which books a guess, then compute the proof outside any transaction."""
        outcome = await self._in_transaction(ctx, before, access)
        if isinstance(outcome, Errand):
            return await ctx.runtime.fetching.from_providers.run(outcome, outcome.run)
        if isinstance(outcome, Inquiry):
            with suppress(FetchingBusyError):
                await ctx.runtime.fetching.of_leaks.run(outcome, outcome.ask)
            outcome = outcome.then
        if not callable(outcome):
            return outcome
        try:
            return await ctx.runtime.hashing.run(outcome)
        except HashingBusyError:
            # The guess was booked as wrong, but never computed.
            if ctx.booked:
                await self._in_transaction(ctx, _take_back_guesses, "write")
            raise

    async def _in_transaction(
        self, ctx: Context, work: Callable[[Context], Any], access: Access | None
    ) -> Any:
        runtime = ctx.runtime
        for _ in range(_FETCHES):
            try:
                return await self._once(ctx, work, access)
            except FetchNeeded as need:
                lanes, self_registered = runtime.fetching, need.purpose.self_registered
                lane = lanes.for_self_registered if self_registered else lanes.for_clients
                await lane.run(need.key, need.fetch)
            except CountNeeded as need:
                await runtime.limiter.count_elsewhere(need.limit, need.key)
                ctx.incoming.counted.add((need.limit, need.key))
        raise FetchingBusyError

    async def _once(
        self, ctx: Context, work: Callable[[Context], Any], access: Access | None
    ) -> Any:
        runtime = ctx.runtime
        if access is None:
            run = ctx.for_run(None)
            result = work(run)
            return run.finish(result) if isinstance(result, Response) else result

        def unit() -> Any:
            for attempt in range(_ATTEMPTS):
                try:
                    with runtime.database.transaction(access) as db:
                        run = ctx.for_run(db)
                        result = work(run)
                        return run.finish(result) if isinstance(result, Response) else result
                except ConflictError:
                    if attempt == _ATTEMPTS - 1:
                        raise
            raise AssertionError("unreachable")

        return await runtime.lane.run(unit, access, for_people=self._for_people)


def _take_back_guesses(ctx: Context) -> None:
    for subject in ctx.booked:
        attempts.take_back(ctx.db, subject)


class _NotFound(Endpoint):
    """404 for every method."""

    async def _answer(
        self, incoming: Incoming, runtime: Runtime, reference: str, receive: Receive
    ) -> Response:
        del incoming, runtime, reference, receive
        raise NotFoundError


NOT_FOUND = _NotFound({}, shape=errors.as_page)
NOTHING_IN_THE_API = _NotFound({}, shape=errors.as_problem)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application for addresses without a route."""
    nothing = NOTHING_IN_THE_API if scope["path"].startswith("/api/") else NOT_FOUND
    await nothing(scope, receive, send)
