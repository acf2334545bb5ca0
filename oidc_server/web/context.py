"""`Context`: what a handler gets. One request, one transaction, and what it takes to respond."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from oidc_server import languages
from oidc_server.database import Transaction
from oidc_server.domain import audit, user_sessions
from oidc_server.domain.audit import Event, Origin
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.observability import current
from oidc_server.security import opaque_tokens
from oidc_server.web import cookies, csrf, responses
from oidc_server.web.client_address import client_address, counted_as
from oidc_server.web.incoming import BadRequestError, Incoming, Params
from oidc_server.web.load.rate_limit import Limit
from oidc_server.web.responses import Response
from oidc_server.web.runtime import Runtime

THEMES = ("light", "dark")
_UNREAD: Any = object()
_BROWSER_LIFETIME = timedelta(days=400)
_LONGEST_QUERY = 2000
_BROUGHT_ALONG = ("request_id", "return_to", "factor")
"""Hidden fields of forms that stood in the query of their page."""


class Context:
    """One request, as a handler sees it.

    `db` is the transaction (absent for endpoints without one), `now` the time at which the request
    is judged, `proof` what `before` has returned, and `booked` the counts on which `before` has
    booked a guess that is still to be computed.
    """

    __slots__ = (
        "_browser",
        "_cookies",
        "_db",
        "_has_run",
        "_origin",
        "_user_session",
        "booked",
        "incoming",
        "now",
        "proof",
        "reference",
        "runtime",
        "ui_locales",
    )

    def __init__(
        self,
        incoming: Incoming,
        runtime: Runtime,
        reference: str,
        *,
        db: Transaction | None = None,
        proof: Any = None,
        booked: set[str] | None = None,
    ) -> None:
        self.incoming = incoming
        self.runtime = runtime
        self.now: datetime = runtime.clock()
        self.proof = proof
        self.booked: set[str] = set() if booked is None else booked
        self.reference = reference
        """What people and the log know this request by."""
        self._origin: Origin | None = None
        self._db = db
        self._has_run = False
        self._user_session: LiveSession | None = _UNREAD
        self._browser: str | None = _UNREAD
        self._cookies: list[tuple[str, str, timedelta | None] | str] = []
        self.ui_locales: str | None = None

    def for_run(self, db: Transaction | None) -> "Context":
        """The context for one run of the handler inside `db`: itself for the first run.

        Each further run, as after a conflict, gets a fresh context, which keeps nothing but `proof`
        and `booked`.
        """
        if not self._has_run:
            self._has_run, self._db, self.now = True, db, self.runtime.clock()
            return self
        return Context(
            self.incoming, self.runtime, self.reference, db=db, proof=self.proof, booked=self.booked
        )

    @property
    def db(self) -> Transaction:
        assert self._db is not None, "this endpoint was declared without database access"  # noqa: S101
        return self._db

    @property
    def has_db(self) -> bool:
        """Whether there is a transaction, for handlers that can do without one."""
        return self._db is not None

    @property
    def form(self) -> Params:
        return self.incoming.form

    @property
    def query(self) -> Params:
        return self.incoming.query

    # · where it came from

    @property
    def origin(self) -> Origin:
        """Where the request came from, for the audit log."""
        if self._origin is None:
            trusted = self.runtime.settings.trusted_proxies
            address = client_address(self.incoming, trusted)
            agent = self.incoming.header("user-agent") or ""
            self._origin = Origin(self.reference, address, agent)
        return self._origin

    @origin.setter
    def origin(self, origin: Origin) -> None:
        self._origin = origin

    def record(self, event: Event, **facts: Any) -> None:
        """Record in the audit log what this request did; the facts are those of `audit.record`."""
        audit.record(self.db, event, origin=self.origin, now=self.now, **facts)

    # · how often

    @property
    def counted_as(self) -> str:
        """The key of rate limits for the address of this request."""
        return counted_as(self.origin.address)

    def count(self, limit: Limit, key: str) -> None:
        """Count this request against a limit that only the handler knows; once, if it runs again.

        Raises `TooManyRequestsError`, or `CountNeeded`, which the adapter handles.
        """
        if (limit, key) not in self.incoming.counted:
            self.runtime.limiter.enter(limit, key)
            self.incoming.counted.add((limit, key))

    # · who is there

    @property
    def user_session(self) -> LiveSession | None:
        """The live session of this browser, or None."""
        if self._user_session is _UNREAD:
            handle = self.runtime.cookies.read(self.incoming, cookies.SESSION)
            self._user_session = (
                user_sessions.find(self.db, handle, self.now) if handle is not None else None
            )
            if self._user_session is not None:
                current.note(user_id=self._user_session.user_id)
        return self._user_session

    @property
    def browser(self) -> str:
        """The random mark of this browser; one is made, and set as a cookie, if there is none.

        It is not set where another site had the browser post: that sends no Lax cookies along, so
        there may be a mark already, which a new one would replace.
        """
        if self._browser is _UNREAD or self._browser is None:
            self._browser = self.runtime.cookies.read(self.incoming, cookies.BROWSER)
            if self._browser is None:
                self._browser = opaque_tokens.mint()
                if not self._is_posted_from_elsewhere:
                    self._cookies.append((cookies.BROWSER, self._browser, _BROWSER_LIFETIME))
        return self._browser

    @property
    def _is_posted_from_elsewhere(self) -> bool:
        return self.incoming.method not in ("GET", "HEAD") and csrf.is_foreign(
            self.incoming, self.runtime.issuer
        )

    def keep_session(self, session: LiveSession, handle: str) -> None:
        """Put the handle of a session into the cookie of this browser, until the session ends."""
        self._user_session = session
        left = max(session.expires_at - self.now, timedelta(0))
        self._cookies.append((cookies.SESSION, handle, left))

    def drop_session(self) -> None:
        """Take the cookie of the session from this browser."""
        self._user_session = None
        self._cookies.append(cookies.SESSION)

    def keep_trusted_mark(self, mark: str) -> None:
        """Set the cookie by which this browser is known as trusted."""
        self._cookies.append((cookies.TRUSTED, mark, _BROWSER_LIFETIME))

    def keep_provider(self, name: str) -> None:
        """Remember in a cookie with which provider somebody signed in."""
        self._cookies.append((cookies.PROVIDER, name, _BROWSER_LIFETIME))

    def keep_link(self, value: str) -> None:
        """Keep the value of a mailed link in a cookie, so that it leaves the address bar."""
        self._cookies.append((cookies.LINK, value, self.runtime.settings.link_lifetime))

    @property
    def kept_link(self) -> str:
        return self.runtime.cookies.read(self.incoming, cookies.LINK) or ""

    def drop_link(self) -> None:
        self._cookies.append(cookies.LINK)

    # · in which language

    @property
    def language(self) -> str:
        """The language of the response: chosen in this browser, else by app, person or browser.

        The session is not read for it: the person counts if the handler has asked for the session.
        """
        known: LiveSession | None = None
        if self._user_session is not _UNREAD:
            known = self._user_session
        return languages.negotiate(
            self.runtime.cookies.read(self.incoming, cookies.LANGUAGE),
            self.ui_locales,
            known.locale if known is not None else None,
            self.incoming.header("accept-language"),
        )

    def keep_language(self, language: str) -> None:
        """Answer this browser in a language from now on."""
        self._cookies.append((cookies.LANGUAGE, language, _BROWSER_LIFETIME))

    # · in which colours

    @property
    def theme(self) -> str | None:
        """`light` or `dark` if that was chosen in this browser; None follows its system."""
        chosen = self.runtime.cookies.read(self.incoming, cookies.THEME)
        return chosen if chosen in THEMES else None

    def keep_theme(self, theme: str | None) -> None:
        """Show this browser these colours from now on; None those of its system."""
        if theme is None:
            self._cookies.append(cookies.THEME)
        else:
            self._cookies.append((cookies.THEME, theme, _BROWSER_LIFETIME))

    # · where things are

    def path(self, route: str, **parameters: str | None) -> str:
        """The path of a named route; parameters it has no place for become its query."""
        return self.runtime.paths.path(route, **parameters)

    def url(self, route: str, **parameters: str | None) -> str:
        """The same with the issuer in front: never made from what the request says of our host."""
        return self.runtime.issuer + self.path(route, **parameters)

    @property
    def page(self) -> str:
        """The path of the page that was asked for, or of that with the button that was posted."""
        if self.incoming.page is None:
            return self.incoming.path
        return self.path(self.incoming.page, **self.incoming.path_params).partition("?")[0]

    @property
    def this_page(self) -> str:
        """`whole_page` where it has to fit into another address: too long a query is left out."""
        whole = self.whole_page
        page, _, query = whole.partition("?")
        return whole if len(query) <= _LONGEST_QUERY else page

    @property
    def whole_page(self) -> str:
        """The path and query of the page that is shown, or that the posted form belongs to.

        After a post, the query is made of the hidden fields that repeat it.
        """
        query: str = self.incoming.scope["query_string"].decode("latin-1")
        if self.incoming.method == "POST":
            query = urlencode(self._brought_along())
        return f"{self.page}?{query}" if query else self.page

    def _brought_along(self) -> dict[str, str]:
        try:
            found = {name: self.form.get(name) for name in _BROUGHT_ALONG}
        except BadRequestError:
            return {}
        return {name: value for name, value in found.items() if value}

    # · the answer

    def render(
        self,
        template: str,
        *,
        status: int = 200,
        form_targets: Iterable[str] = (),
        frame_sources: Iterable[str] = (),
        popup: bool = False,
        retry_after: float | None = None,
        **values: Any,
    ) -> Response:
        """A page from a template, with the token its forms need.

        `popup` is what an application asked for (Core §3.1.2.1). `retry_after`, in seconds, becomes
        the header, and `wait_minutes` of the template.
        """
        text = self.runtime.templates.get(template, self.language).render(
            theme=self.theme,
            status=status,
            csrf_token=csrf.token(self.runtime.csrf_key, self.browser),
            request_ref=self.reference,
            this_page=self.this_page,
            now=self.now,
            wait_minutes=ceil((retry_after or 0) / 60),
            **values,
        )
        response = responses.html(
            text,
            status=status,
            form_targets=form_targets,
            frame_sources=frame_sources,
            popup=popup,
        )
        if retry_after is not None:
            response.with_header("retry-after", str(max(1, ceil(retry_after))))
        return response

    def redirect(self, route: str, **parameters: str | None) -> Response:
        """303 to a named route of ours."""
        return responses.see_other(self.path(route, **parameters))

    def check_form(self) -> None:
        """Raise `ForeignFormError` unless the form is one we gave to this browser."""
        csrf.check(
            self.incoming,
            key=self.runtime.csrf_key,
            browser=self.runtime.cookies.read(self.incoming, cookies.BROWSER),
            origin=self.runtime.issuer,
        )

    def finish(self, response: Response) -> Response:
        """Add the cookies that this request set or removed."""
        jar = self.runtime.cookies
        for cookie in self._cookies:
            if isinstance(cookie, str):
                jar.remove(response, cookie)
            else:
                jar.write(response, *cookie)
        return response
