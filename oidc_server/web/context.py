"""`Context`: what a handler is given. One request, one transaction, and the way to answer."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from oidc_server import languages
from oidc_server.database import Transaction
from oidc_server.domain import attempts, audit, endings, user_sessions
from oidc_server.domain.audit import Event, Origin
from oidc_server.domain.session_clients import SessionClient
from oidc_server.domain.user_sessions import LiveSession, SessionLifetimes
from oidc_server.oauth2.vocabulary import PASSWORD_ACR
from oidc_server.observability import current
from oidc_server.security import opaque_tokens
from oidc_server.web import cookies, csrf, responses
from oidc_server.web.client_address import client_address, counted_as
from oidc_server.web.incoming import Incoming, Params
from oidc_server.web.rate_limit import Limit
from oidc_server.web.responses import Response
from oidc_server.web.runtime import Runtime

THEMES = ("light", "dark")
_UNREAD: Any = object()
_BROWSER_LIFETIME = timedelta(days=400)
_LONGEST_QUERY = 2000


class Context:
    """One request on its way through a handler.

    `db` is the transaction of the endpoint (absent for endpoints without one), `now` the moment the
    request is judged by, `proof` what `before` found out ahead of the transaction, and `booked`
    where that counted a guess which is still to be computed.
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
        """This request for one run inside `db`: itself for the first, as most have no other.

        Each further one, such as a repeated one, gets a fresh context, which remembers nothing of
        those before but `proof` and `booked`.
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
        """Whether there is a transaction, for handlers that can do without."""
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
        """What the audit log says of where this request came from."""
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
        """Write down in the audit log what this request did; the facts are those of `audit`."""
        audit.record(self.db, event, origin=self.origin, now=self.now, **facts)

    # · how often

    @property
    def counted_as(self) -> str:
        """What limits know the address of this request by."""
        return counted_as(self.origin.address)

    def count(self, limit: Limit, key: str) -> None:
        """Count this request, once, against what only the handler knows.

        Raises `TooManyRequestsError`, or `CountNeeded`, which is the adapter's business.
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
        """The mark of this browser; a browser that has none gets one with this answer."""
        if self._browser is _UNREAD or self._browser is None:
            self._browser = self.runtime.cookies.read(self.incoming, cookies.BROWSER)
            if self._browser is None:
                self._browser = opaque_tokens.mint()
                self._cookies.append((cookies.BROWSER, self._browser, _BROWSER_LIFETIME))
        return self._browser

    def sign_in(
        self,
        user_id: str,
        *,
        amr: Iterable[str],
        acr: str = PASSWORD_ACR,
        stepping_up: bool = False,
        auth_time: datetime | None = None,
    ) -> bool:
        """Start a session, or renew that of the same person; the old cookie is dead.

        An account that waits for its deletion is brought back: its owner wants it after all. Who is
        `stepping_up` makes a session stronger, which ends when it would have. A person has so many
        sessions at most: the one that was used longest ago makes room for another. `auth_time` is
        when they proved themselves, if that was not just now but elsewhere.
        True if this browser is new to an account that knows others.
        """
        db, now = self.db, self.now
        if endings.bring_back(db, user_id, now):
            self.record(Event.DELETION_CANCELLED, user_id=user_id)
        proven = {"amr": frozenset(amr), "acr": acr, "auth_time": auth_time}
        handle = self._new_session(user_id, proven, stepping_up=stepping_up)
        self._keep_session(user_sessions.find(db, handle, now), handle)
        # The browser comes first: of simultaneous sign-ins each then sees the sessions before it.
        is_new_browser = attempts.remember_browser(db, user_id, self.browser, now)
        most = self.runtime.settings.sessions_per_user
        endings.end_surplus_sessions(db, user_id, most, now)
        return is_new_browser

    def _new_session(self, user_id: str, proven: dict[str, Any], *, stepping_up: bool) -> str:
        settings, session = self.runtime.settings, self.user_session
        lifetimes = SessionLifetimes(
            settings.session_idle_lifetime, settings.session_absolute_lifetime
        )
        given: dict[str, Any] = {**proven, "now": self.now, "lifetimes": lifetimes}
        if session is not None and session.user_id == user_id:
            return user_sessions.renew(self.db, session, keep_end=stepping_up, **given)
        if session is not None:
            endings.end_session(self.db, session.id, self.now)
        return user_sessions.start(self.db, user_id, origin=self.origin, **given)

    def change_cookie(self, session: LiveSession) -> None:
        """Let the session of this browser go on under another cookie; the old one is dead."""
        self._keep_session(session, user_sessions.rotate(self.db, session))

    def _keep_session(self, session: LiveSession | None, handle: str) -> None:
        """The cookie lives as long as its session may."""
        self._user_session = session
        left = session.expires_at - self.now if session is not None else timedelta(0)
        self._cookies.append((cookies.SESSION, handle, max(left, timedelta(0))))

    def hold_session(self) -> None:
        """Have whoever ends the session of this browser wait for what is added in it.

        Raises `ConflictError` if they were faster, so that the request runs again without it.
        """
        if self.user_session is not None:
            user_sessions.hold(self.db, self.user_session.id)

    def sign_out(self) -> list[SessionClient]:
        """End the session of this browser and forget its cookie; returns who wants to be told."""
        session, told = self.user_session, []
        if session is not None:
            told = endings.end_session(self.db, session.id, self.now)
        self._user_session = None
        self._cookies.append(cookies.SESSION)
        return told

    def keep_trusted_mark(self, mark: str) -> None:
        """Let this browser be known as one that somebody trusts."""
        self._cookies.append((cookies.TRUSTED, mark, _BROWSER_LIFETIME))

    def keep_provider(self, name: str) -> None:
        """Remember in this browser with which provider somebody signed in."""
        self._cookies.append((cookies.PROVIDER, name, _BROWSER_LIFETIME))

    def keep_link(self, value: str) -> None:
        """Keep the value of a mailed link in this browser, so that it leaves the address bar."""
        self._cookies.append((cookies.LINK, value, self.runtime.settings.link_lifetime))

    @property
    def kept_link(self) -> str:
        return self.runtime.cookies.read(self.incoming, cookies.LINK) or ""

    def drop_link(self) -> None:
        self._cookies.append(cookies.LINK)

    # · in which language

    @property
    def language(self) -> str:
        """What to answer in: as chosen in this browser, else as app, person or browser ask for it.

        Nobody is looked up for it: the person counts where the handler asked who is there.
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

    # · the answer

    def render(
        self,
        template: str,
        *,
        status: int = 200,
        form_targets: Iterable[str] = (),
        frame_sources: Iterable[str] = (),
        popup: bool = False,
        **values: Any,
    ) -> Response:
        """A page from a template, with the token its forms need.

        `popup` is what an application asked for (Core §3.1.2.1).
        """
        text = self.runtime.templates.get(template, self.language).render(
            theme=self.theme,
            status=status,
            csrf_token=csrf.token(self.runtime.csrf_key, self.browser),
            request_ref=self.reference,
            this_page=_own_address(self.incoming),
            now=self.now,
            **values,
        )
        return responses.html(
            text,
            status=status,
            form_targets=form_targets,
            frame_sources=frame_sources,
            popup=popup,
        )

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


def _own_address(incoming: Incoming) -> str:
    """Path and query, for a way back; a query too long to be sent along is left out."""
    query = incoming.scope["query_string"].decode("latin-1")
    return f"{incoming.path}?{query}" if 0 < len(query) <= _LONGEST_QUERY else incoming.path
