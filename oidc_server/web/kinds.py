"""The kinds of endpoints: how an address is called, and the shape of its responses."""

from collections.abc import Callable

from oidc_server.database import Access
from oidc_server.web import cors, errors
from oidc_server.web.context import Context
from oidc_server.web.endpoint import AccessRule, Before, Endpoint, FailureRule, Handler, Method
from oidc_server.web.load.rate_limit import PAGES, Limit


def page(
    handler: Handler,
    *,
    post: Handler | None = None,
    access: Access = "read",
    before: Before | None = None,
    limit: Limit | None = PAGES,
) -> Endpoint:
    """A page that is read, or an address that browsers are sent to.

    With `post`, foreign sites may post to it too (the authorization and logout endpoints).
    """
    handlers = {"GET": handler} | ({"POST": post} if post else {})
    methods = {name: Method(handler, access, limit, before) for name, handler in handlers.items()}
    return Endpoint(methods, shape=errors.as_page)


def form(
    show: Handler,
    submit: Handler,
    *,
    before: Before | None = None,
    limit: Limit | None = PAGES,
    failures: Limit | None = None,
) -> Endpoint:
    """A page with a form of ours: shown by GET, sent by POST with the token of this browser.

    `limit` counts what is sent; showing it counts as a page.
    """
    return Endpoint(
        {
            "GET": Method(show, "read", PAGES),
            "POST": Method(submit, "write", limit, before, failures),
        },
        shape=errors.as_page,
        own_forms=True,
    )


def action(
    submit: Handler,
    *,
    page: str,
    before: Before | None = None,
    limit: Limit | None = PAGES,
    failures: Limit | None = None,
) -> Endpoint:
    """Where a button of the page with the route name `page` posts to."""
    method = Method(submit, "write", limit, before, failures)
    return Endpoint({"POST": method}, shape=errors.as_page, own_forms=True, page=page)


def document(handler: Handler) -> Endpoint:
    """A document for programs that is the same for everybody."""
    return Endpoint({"GET": Method(handler, None)}, shape=errors.as_problem)


def published(
    handler: Handler, *, access: AccessRule, meanwhile: Handler | None = None
) -> Endpoint:
    """What clients discover: scripts of every origin may ask for it, with any header.

    `meanwhile` answers while the database is away.
    """
    get = Method(handler, access, meanwhile=meanwhile)
    methods = {"GET": get, "OPTIONS": Method(cors.preflight_of_published, None)}
    return Endpoint(methods, shape=errors.as_oauth)


def script(
    handler: Handler,
    *,
    access: Access | None = "write",
    before: Before | None = None,
    limit: Limit | None = PAGES,
) -> Endpoint:
    """What a script of our pages asks for, with the token of its form: JSON, errors too."""
    return Endpoint(
        {"POST": Method(handler, access, limit, before)},
        shape=errors.as_problem,
        own_forms=True,
    )


def record(
    *, get: Handler, put: Handler, delete: Handler, limit: Limit | None, failures: Limit | None
) -> Endpoint:
    """Something that programs read, replace and delete: OAuth errors in JSON.

    `limit` counts what is replaced.
    """
    methods = {
        "GET": Method(get, "read", failures=failures),
        "PUT": Method(put, "write", limit, failures=failures),
        "DELETE": Method(delete, "write", failures=failures),
    }
    return Endpoint(methods, shape=errors.as_oauth)


def machine(
    handler: Handler,
    *,
    methods: tuple[str, ...] = ("POST",),
    access: AccessRule = "write",
    before: Before | None = None,
    limit: Limit | None = None,
    failures: FailureRule = None,
    needs_before: Callable[[Context], bool] | None = None,
    cross_origin: bool = False,
) -> Endpoint:
    """An endpoint for programs: no cookies, no forms of ours, OAuth errors in JSON."""
    method = Method(handler, access, limit, before, failures, needs_before)
    return Endpoint(
        dict.fromkeys(methods, method), shape=errors.as_oauth, cross_origin=cross_origin
    )
