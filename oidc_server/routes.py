"""Every URL of the server on one screen, named, in walking order.

The adapter's constructors (`web/endpoint.py`) say who may call, how often, and with which transaction.
"""

from starlette.routing import Route

from . import account, authentication, authorization, setup
from .authentication import email_verification, login, password_reset, sign_up
from .authorization import consent
from .authorization import endpoint as authorization_endpoint
from .account import overview
from .discovery import jwks, metadata
from .health import endpoint as health
from .logout import end_session
from .setup import page as setup_page
from .setup import home
from .token import endpoint as token_endpoint
from .token import introspection, revocation
from .userinfo import endpoint as userinfo_endpoint
from .web.endpoint import Endpoint, action, form, machine, page
