"""The table of the operations on credit: who may, with what, and what comes back."""

from typing import Any

from oidc_server.api.access import oneself_or_others, others
from oidc_server.api.operations import Operation
from oidc_server.credits import api, models
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.errors import types

_USER = "3f0e9c1a-6f54-4f5e-9c1b-2a7d8e0b4c55"
_ENTRY = "019b8d62-7a80-73a1-acf1-88f9fcf744e7"


def _entry_example(kind: str, amount: str, new_balance: str) -> dict[str, Any]:
    return {
        "id": _ENTRY,
        "user_id": _USER,
        "amount": amount,
        "transaction_type": kind,
        "reference_id": "order-1001",
        "description": "Ten pictures",
        "created_at": "2026-01-05T09:00:00Z",
        "new_balance": new_balance,
    }


_NOTE = {"user_id": _USER, "reference_id": "order-1001", "description": "Ten pictures"}
_READS: dict[str, Any] = {
    "method": "GET",
    "rule": oneself_or_others(ApiScope.CREDITS_READ),
    "problems": (types.NOT_FOUND,),
}
_MOVES: dict[str, Any] = {
    "method": "POST",
    "answer": models.Transaction,
    "idempotent": True,
    "problems": (types.CONFLICT,),
}
_SPENDS = {**_MOVES, "rule": oneself_or_others(ApiScope.CREDITS_USE)}
_GIVES = {**_MOVES, "rule": others(ApiScope.CREDITS_ADD)}

OPERATIONS = (
    Operation(
        path="/api/v1/credits/balance",
        name="credits.balance",
        summary="Read a balance",
        handler=api.read_balance,
        query=models.OfUser,
        answer=models.Balance,
        query_example={"user_id": _USER},
        answer_example={
            "user_id": _USER,
            "balance": "12.50",
            "updated_at": "2026-01-05T09:00:00Z",
        },
        **_READS,
    ),
    Operation(
        path="/api/v1/credits/transactions",
        name="credits.transactions",
        summary="List transactions, newest first",
        handler=api.list_transactions,
        query=models.TransactionsQuery,
        answer=models.Transactions,
        query_example={"user_id": _USER, "limit": 50},
        answer_example={
            "transactions": [_entry_example("credit_used", "2.50", "10.00")],
            "total_count": 1,
            "next_cursor": None,
        },
        **_READS,
    ),
    Operation(
        path="/api/v1/credits/add",
        name="credits.add",
        summary="Add credit",
        description="For services and administrators; nobody adds credit to their own account.",
        handler=api.add_credits,
        body=models.AddCredits,
        body_example={**_NOTE, "amount": "12.50", "transaction_type": "purchase"},
        answer_example=_entry_example("purchase", "12.50", "12.50"),
        **_GIVES,
    ),
    Operation(
        path="/api/v1/credits/use",
        name="credits.use",
        summary="Use credit",
        description="Takes the amount if there is enough; else nothing, and 409 tells the balance.",
        handler=api.use_credits,
        body=models.UseCredits,
        body_example={**_NOTE, "amount": "2.50"},
        answer_example=_entry_example("credit_used", "2.50", "10.00"),
        **{**_SPENDS, "problems": (types.CONFLICT, types.INSUFFICIENT_CREDIT)},
    ),
    Operation(
        path="/api/v1/credits/refund",
        name="credits.refund",
        summary="Refund a use or a capture",
        description="All refunds of a transaction add up to its amount at most. Without an amount,"
        " what is left of it is refunded.",
        handler=api.refund_credits,
        body=models.RefundCredits,
        body_example={**_NOTE, "transaction_id": _ENTRY, "amount": "2.50"},
        answer_example=_entry_example("refunded", "2.50", "12.50"),
        **_GIVES,
    ),
    Operation(
        path="/api/v1/credits/adjust",
        name="credits.adjust",
        summary="Correct a balance",
        description="Up or, with a negative amount, down, never below zero. The description says"
        " what is corrected; the audit log keeps it.",
        handler=api.adjust_credits,
        body=models.AdjustCredits,
        body_example={**_NOTE, "amount": "-2.50", "description": "Charged twice by mistake"},
        answer_example={
            **_entry_example("adjusted", "-2.50", "10.00"),
            "description": "Charged twice by mistake",
        },
        **{**_GIVES, "problems": (types.CONFLICT, types.INSUFFICIENT_CREDIT)},
    ),
    Operation(
        path="/api/v1/credits/reserve",
        name="credits.reserve",
        summary="Reserve credit",
        description="Holds the amount for the client that asks: it is no longer in the balance,"
        " and comes back when it is released, or when its time is over.",
        handler=api.reserve_credits,
        body=models.ReserveCredits,
        body_example={**_NOTE, "amount": "5.00", "expires_in": 900},
        answer_example={
            **_entry_example("reserved", "5.00", "7.50"),
            "expires_at": "2026-01-05T09:15:00Z",
        },
        **{
            **_SPENDS,
            "answer": models.Reservation,
            "problems": (types.CONFLICT, types.INSUFFICIENT_CREDIT),
        },
    ),
    Operation(
        path="/api/v1/credits/capture",
        name="credits.capture",
        summary="Capture a reservation",
        description="Takes what is held, once. Of a smaller amount, the rest is released.",
        handler=api.capture_credits,
        body=models.CaptureCredits,
        body_example={**_NOTE, "reservation_id": _ENTRY, "amount": "4.00"},
        answer_example=_entry_example("captured", "4.00", "7.50"),
        **_SPENDS,
    ),
    Operation(
        path="/api/v1/credits/release",
        name="credits.release",
        summary="Release a reservation",
        handler=api.release_credits,
        body=models.ReleaseCredits,
        body_example={**_NOTE, "reservation_id": _ENTRY},
        answer_example=_entry_example("released", "5.00", "12.50"),
        **_SPENDS,
    ),
)
