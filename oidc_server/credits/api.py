"""The operations on credit: from a call to the ledger, and from what it says to an answer."""

from datetime import timedelta

from oidc_server.api.lists import read_cursor, write_cursor
from oidc_server.api.operations import Call
from oidc_server.credits.models import Balance, Reservation, Transaction, Transactions
from oidc_server.domain import ledger
from oidc_server.domain.audit import Event
from oidc_server.domain.base import parse_id
from oidc_server.domain.ledger import Entry, EntryType, Order, Reason, Refused, format_amount
from oidc_server.web.errors import ProblemError, types
from oidc_server.web.incoming import BadRequestError
from oidc_server.web.responses import Response

_CONFLICTS = {
    Reason.INSUFFICIENT: (types.INSUFFICIENT_CREDIT, "There is not enough credit."),
    Reason.DISABLED: (types.CONFLICT, "The user is disabled."),
    Reason.TOO_MUCH: (types.CONFLICT, "An account holds no more than 10^15 credits."),
    Reason.SETTLED: (types.CONFLICT, "The reservation is settled already."),
    Reason.EXPIRED: (types.CONFLICT, "The reservation has expired."),
    Reason.MORE_THAN_LEFT: (types.CONFLICT, "This is more than what is left of it."),
}


def read_balance(call: Call) -> Balance:
    """What a user may spend now."""
    found = ledger.find_balance(call.ctx.db, call.subject)
    if found is None:
        raise ProblemError(types.NOT_FOUND, "There is no such user.")

    return Balance(
        user_id=call.shown_subject,
        balance=format_amount(found.balance),
        updated_at=found.updated_at,
    )


def list_transactions(call: Call) -> Transactions:
    """What moved a user's credit, newest first."""
    query, user_id, db = call.query, call.subject, call.ctx.db
    if query.cursor is not None and query.skip:
        raise BadRequestError("Send cursor or skip, not both.")
    newest = None if query.cursor is None else read_cursor(query.cursor, int)[0]
    if ledger.find_balance(db, user_id) is None:
        raise ProblemError(types.NOT_FOUND, "There is no such user.")

    page = ledger.history(db, user_id, limit=query.limit, newest=newest, skip=query.skip)

    return Transactions(
        transactions=[_transaction(call, entry) for entry in page.entries],
        total_count=page.total_count,
        next_cursor=None if page.next_sequence is None else write_cursor(page.next_sequence),
    )


def add_credits(call: Call) -> Transaction | Response:
    """Give credit to a user."""
    body, ctx = call.body, call.ctx
    purchase = body.transaction_type == ledger.EntryType.PURCHASE
    done = ledger.add(
        ctx.db,
        call.subject,
        body.amount,
        purchase=purchase,
        order=_order(call),
        now=ctx.now,
    )
    _record(call, Event.CREDIT_ADDED, done)
    return _answer(call, done)


def use_credits(call: Call) -> Transaction | Response:
    """Spend credit of a user."""
    ctx = call.ctx
    done = ledger.use(ctx.db, call.subject, call.body.amount, order=_order(call), now=ctx.now)
    return _answer(call, done)


def refund_credits(call: Call) -> Transaction | Response:
    """Give back what a use or a capture took."""
    body, ctx = call.body, call.ctx
    done = ledger.refund(
        ctx.db,
        call.subject,
        _id(body.transaction_id),
        body.amount,
        order=_order(call),
        now=ctx.now,
    )
    _record(call, Event.CREDIT_REFUNDED, done)
    return _answer(call, done)


def adjust_credits(call: Call) -> Transaction | Response:
    """Correct a balance; the audit log is told who did, and why."""
    body, ctx, user_id = call.body, call.ctx, call.subject
    order = _order(call)
    done = ledger.adjust(ctx.db, user_id, body.amount, order=order, now=ctx.now)
    if isinstance(done, Entry):
        ctx.record(
            Event.CREDIT_ADJUSTED,
            user_id=user_id,
            before={"balance": format_amount(done.new_balance - done.balance_change)},
            after={"balance": format_amount(done.new_balance)},
            transaction_id=done.id,
            description=body.description,
        )
    return _answer(call, done)


def reserve_credits(call: Call) -> Transaction | Response:
    """Hold credit of a user."""
    body, ctx = call.body, call.ctx
    done = ledger.reserve(
        ctx.db,
        call.subject,
        body.amount,
        expires_at=ctx.now + timedelta(seconds=body.expires_in),
        order=_order(call),
        now=ctx.now,
    )
    if isinstance(done, Refused):
        return _answer(call, done)
    held = _transaction(call, done.entry)
    return Reservation(**held.model_dump(), expires_at=done.expires_at)


def capture_credits(call: Call) -> Transaction | Response:
    """Take what is held."""
    body, ctx = call.body, call.ctx
    done = ledger.capture(
        ctx.db,
        call.subject,
        _id(body.reservation_id),
        body.amount,
        order=_order(call),
        now=ctx.now,
    )
    return _answer(call, done)


def release_credits(call: Call) -> Transaction | Response:
    """Give back what is held."""
    ctx = call.ctx
    done = ledger.release(
        ctx.db,
        call.subject,
        _id(call.body.reservation_id),
        order=_order(call),
        now=ctx.now,
    )
    return _answer(call, done)


def _order(call: Call) -> Order:
    caller, body = call.caller, call.body
    return Order(
        caller.client_id,
        caller.user_id,
        call.ctx.reference,
        body.reference_id,
        body.description,
    )


def _record(call: Call, event: Event, done: Entry | Refused) -> None:
    """Who gave credit to others is in the audit log too; who spent it, in the ledger (ADR 0016)."""
    if isinstance(done, Entry):
        call.ctx.record(
            event, user_id=call.subject, transaction_id=done.id, amount=format_amount(done.amount)
        )


def _id(text: str) -> str:
    found = parse_id(text)
    if found is None:
        raise ProblemError(types.NOT_FOUND, "There is no such transaction.")
    return found


def _answer(call: Call, done: Entry | Refused) -> Transaction | Response:
    """The entry; or the refusal, returned so that a repetition with its key is told the same."""
    if isinstance(done, Entry):
        return _transaction(call, done)
    if done.reason == Reason.NO_USER:
        raise ProblemError(types.NOT_FOUND, "There is no such user.")
    if done.reason == Reason.NOT_FOUND:
        raise ProblemError(types.NOT_FOUND, "There is no such transaction.")
    kind, detail = _CONFLICTS[done.reason]
    members = {"balance": format_amount(done.balance)}
    if done.reason == Reason.MORE_THAN_LEFT:
        members["left"] = format_amount(done.left)
    return call.problem(kind, detail, **members)


def _transaction(call: Call, entry: Entry) -> Transaction:
    """The entry as it is told. Every type says which way it goes, but for a correction."""
    is_taken = entry.type == EntryType.ADJUSTED and entry.balance_change < 0
    return Transaction(
        id=entry.id,
        user_id=call.shown_subject,
        amount=format_amount(-entry.amount if is_taken else entry.amount),
        transaction_type=entry.type,
        reference_id=entry.reference_id,
        description=entry.description,
        created_at=entry.created_at,
        new_balance=format_amount(entry.new_balance),
    )
