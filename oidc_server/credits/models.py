"""What is sent to and answered by the operations on credit."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from oidc_server.api.lists import PageQuery
from oidc_server.api.models import Answer, Body, Count, Query, printable
from oidc_server.domain import ledger
from oidc_server.domain.ledger import EntryType

_DIGITS = r"(0\.(0[1-9]|[1-9][0-9]?)|[1-9][0-9]{0,11}(\.[0-9]{1,2})?|1000000000000(\.00?)?)"
_TEXT_IS_SAFER = " Text is safer: many readers of JSON make floats of numbers."
_AMOUNT_SCHEMA: dict[str, Any] = {
    "description": "A decimal with at most two places, from 0.01 to 1000000000000."
    + _TEXT_IS_SAFER,
    "anyOf": [
        {"type": "string", "pattern": f"^{_DIGITS}$"},
        {"type": "number", "minimum": 0.01, "maximum": 1_000_000_000_000, "multipleOf": 0.01},
    ],
    "examples": ["12.50"],
}
_CHANGE_SCHEMA: dict[str, Any] = {
    "description": "The same with a minus sign for what is taken." + _TEXT_IS_SAFER,
    "anyOf": [
        {"type": "string", "pattern": f"^-?{_DIGITS}$"},
        {
            "type": "number",
            "minimum": -1_000_000_000_000,
            "maximum": 1_000_000_000_000,
            "multipleOf": 0.01,
            "not": {"const": 0},
        },
    ],
    "examples": ["-2.50"],
}
_MONEY_SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": r"^(0|[1-9][0-9]*)\.[0-9]{2}$",
    "examples": ["12.50"],
}
_MOVED_SCHEMA: dict[str, Any] = {
    **_MONEY_SCHEMA,
    "pattern": r"^-?(0|[1-9][0-9]*)\.[0-9]{2}$",
    "description": "What was moved; with a minus sign if a correction took it.",
}

Amount = Annotated[int, BeforeValidator(ledger.parse_amount), WithJsonSchema(_AMOUNT_SCHEMA)]
"""Hundredths, from a decimal in a request."""
Change = Annotated[int, BeforeValidator(ledger.parse_change), WithJsonSchema(_CHANGE_SCHEMA)]
"""The same, up or down."""
Money = Annotated[str, WithJsonSchema(_MONEY_SCHEMA)]
"""A decimal with two places in an answer."""
Moved = Annotated[str, WithJsonSchema(_MOVED_SCHEMA)]
"""The same, which is negative for a correction that takes."""


Reference = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable)]
Description = Annotated[str, Field(max_length=500), AfterValidator(printable)]
UserId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="Whose credit it is; for a service always, for a person only as administrator.",
    ),
]
EntryId = Annotated[str, Field(min_length=1, max_length=100)]

LONGEST_RESERVATION = timedelta(days=30)
_USUAL_RESERVATION = timedelta(minutes=15)


class _Noted(Body):
    user_id: UserId | None = None
    reference_id: Reference | None = None
    description: Description | None = None


class AddCredits(_Noted):
    """Credit to give."""

    amount: Amount
    transaction_type: Literal["credit_added", "purchase"] = "credit_added"


class UseCredits(_Noted):
    """Credit to spend."""

    amount: Amount


class RefundCredits(_Noted):
    """A use or a capture to give back, whole or in part."""

    transaction_id: EntryId
    amount: Amount | None = None


class AdjustCredits(_Noted):
    """A correction, and what is corrected."""

    amount: Change
    description: Annotated[Description, Field(min_length=1)]


class ReserveCredits(_Noted):
    """Credit to hold."""

    amount: Amount
    expires_in: int = Field(
        default=int(_USUAL_RESERVATION.total_seconds()),
        ge=1,
        le=int(LONGEST_RESERVATION.total_seconds()),
        description="Seconds after which what is held is given back.",
    )


class CaptureCredits(_Noted):
    """A reservation to take, whole or in part; the rest is released."""

    reservation_id: EntryId
    amount: Amount | None = None


class ReleaseCredits(_Noted):
    """A reservation to give back."""

    reservation_id: EntryId


class OfUser(Query):
    """Whose credit."""

    user_id: UserId | None = None


class TransactionsQuery(PageQuery, OfUser):
    """Which transactions."""

    skip: Count = Field(
        default=0, ge=0, le=10**12, description="Newest transactions to pass over; not with cursor."
    )


class Balance(Answer):
    """What may be spent now; what is reserved is not in it."""

    user_id: str
    balance: Money
    updated_at: datetime


class Transaction(Answer):
    """One movement of credit, and the balance that it left."""

    id: str
    user_id: str
    amount: Moved
    transaction_type: EntryType
    reference_id: str | None
    description: str | None
    created_at: datetime
    new_balance: Money


class Reservation(Transaction):
    """Credit that is held: `id` is what to capture or release."""

    expires_at: datetime


class Transactions(Answer):
    """A page of transactions, newest first."""

    transactions: list[Transaction]
    total_count: int
    next_cursor: str | None
