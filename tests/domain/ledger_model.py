"""Random lives of two accounts, compared with a model that is too simple to be wrong."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from oidc_server.database import Database
from oidc_server.domain import ledger, users
from oidc_server.domain.ledger import Entry, EntryType, Order, Reason, Refused, Reserved
from tests.domain.conftest import NOW

AMOUNTS = st.integers(1, 500)
ACCOUNTS = st.integers(0, 1)
CLIENTS = st.sampled_from(["shop", "game"])
ANY = st.integers(0, 2**16)


@dataclass
class Account:
    """What an account should be."""

    user_id: str
    balance: int = 0
    told: list[tuple[EntryType, int, int]] = field(default_factory=list)
    refundable: dict[str, int] = field(default_factory=dict)
    held: dict[str, tuple[int, str, Any]] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)

    def tell(self, kind: EntryType, amount: int, change: int) -> None:
        self.balance += change
        self.told.append((kind, amount, self.balance))


class LivesOfAccounts(RuleBasedStateMachine):
    """`database` is set before a run."""

    database: Database
    count = 0

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.accounts = [Account(self._user()) for _ in range(2)]
        self.clients: dict[str, str] = {}

    def _user(self) -> str:
        LivesOfAccounts.count += 1
        with self.database.transaction("write") as db:
            return users.create(
                db,
                username=f"person{LivesOfAccounts.count}",
                email=None,
                name=None,
                password_hash=None,
                now=NOW,
            ).id

    def _do(self, act: Any, account: Account, *arguments: Any, **named: Any) -> Any:
        client = named.pop("client", "shop")
        with self.database.transaction("write") as db:
            return act(
                db,
                account.user_id,
                *arguments,
                order=Order(client, None, "request"),
                now=self.now,
                **named,
            )

    # · what happens

    @rule(which=ACCOUNTS, amount=AMOUNTS, purchase=st.booleans())
    def add(self, which: int, amount: int, purchase: bool) -> None:
        account = self.accounts[which]
        done = self._do(ledger.add, account, amount, purchase=purchase)
        account.tell(done.type, amount, amount)
        assert done.type == (EntryType.PURCHASE if purchase else EntryType.CREDIT_ADDED)
        assert done.new_balance == account.balance

    @rule(which=ACCOUNTS, amount=AMOUNTS)
    def use(self, which: int, amount: int) -> None:
        account = self.accounts[which]
        done = self._do(ledger.use, account, amount)
        if amount > account.balance:
            assert done == Refused(Reason.INSUFFICIENT, account.balance)
            return
        account.tell(EntryType.CREDIT_USED, amount, -amount)
        account.refundable[done.id] = amount
        assert done.new_balance == account.balance

    @rule(which=ACCOUNTS, change=AMOUNTS | AMOUNTS.map(int.__neg__))
    def adjust(self, which: int, change: int) -> None:
        account = self.accounts[which]
        done = self._do(ledger.adjust, account, change)
        if account.balance + change < 0:
            assert done == Refused(Reason.INSUFFICIENT, account.balance)
            return
        account.tell(EntryType.ADJUSTED, abs(change), change)
        assert done.balance_change == change
        assert done.new_balance == account.balance

    @rule(which=ACCOUNTS, amount=st.none() | AMOUNTS, any_=ANY)
    def refund(self, which: int, amount: int | None, any_: int) -> None:
        account = self.accounts[which]
        everything = [entry for one in self.accounts for entry in one.refundable]
        if not everything:
            return
        original = everything[any_ % len(everything)]
        done = self._do(ledger.refund, account, original, amount)
        if original not in account.refundable:
            assert done == Refused(Reason.NOT_FOUND)
            return
        left = account.refundable[original]
        wanted = left if amount is None else amount
        if not 0 < wanted <= left:
            assert done == Refused(Reason.MORE_THAN_LEFT, account.balance, left)
            return
        account.refundable[original] -= wanted
        account.tell(EntryType.REFUNDED, wanted, wanted)
        assert isinstance(done, Entry)

    @rule(which=ACCOUNTS, amount=AMOUNTS, client=CLIENTS, minutes=st.integers(1, 5))
    def reserve(self, which: int, amount: int, client: str, minutes: int) -> None:
        account = self.accounts[which]
        expires_at = self.now + timedelta(minutes=minutes)
        done = self._do(ledger.reserve, account, amount, expires_at=expires_at, client=client)
        if amount > account.balance:
            assert done == Refused(Reason.INSUFFICIENT, account.balance)
            return
        assert isinstance(done, Reserved)
        account.tell(EntryType.RESERVED, amount, -amount)
        account.held[done.entry.id] = (amount, client, expires_at)

    @rule(which=ACCOUNTS, amount=st.none() | AMOUNTS, client=CLIENTS, any_=ANY)
    def capture(self, which: int, amount: int | None, client: str, any_: int) -> None:
        account = self.accounts[which]
        found = self._choose(any_)
        if found is None:
            return
        done = self._do(ledger.capture, account, found, amount, client=client)
        refusal = self._why_not(account, found, client)
        if refusal is not None:
            assert done == refusal
            return
        held = account.held[found][0]
        wanted = held if amount is None else amount
        if wanted > held:
            assert done == Refused(Reason.MORE_THAN_LEFT, account.balance, held)
            return
        account.tell(EntryType.CAPTURED, wanted, 0)
        if wanted < held:
            account.tell(EntryType.RELEASED, held - wanted, held - wanted)
        account.refundable[done.id] = wanted
        self._settle(account, found)

    @rule(which=ACCOUNTS, client=CLIENTS, any_=ANY)
    def release(self, which: int, client: str, any_: int) -> None:
        account = self.accounts[which]
        found = self._choose(any_)
        if found is None:
            return
        done = self._do(ledger.release, account, found, client=client)
        refusal = self._why_not(account, found, client)
        if refusal is not None:
            assert done == refusal
            return
        account.tell(EntryType.RELEASED, account.held[found][0], account.held[found][0])
        self._settle(account, found)

    @rule(minutes=st.integers(0, 3))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        with self.database.transaction("write") as db:
            ledger.release_expired(db, self.now, 100)
        for account in self.accounts:
            due = [name for name, (_, _, end) in account.held.items() if end <= self.now]
            for found in sorted(due):
                amount = account.held[found][0]
                account.tell(EntryType.EXPIRED, amount, amount)
                self._settle(account, found)

    def _choose(self, any_: int) -> str | None:
        """A reservation that there is or was, on either account."""
        everything = [name for one in self.accounts for name in (*one.held, *one.settled)]
        return everything[any_ % len(everything)] if everything else None

    def _why_not(self, account: Account, found: str, client: str) -> Refused | None:
        if found in account.settled and self.clients[found] == client:
            return Refused(Reason.SETTLED, account.balance)
        if found not in account.held or account.held[found][1] != client:
            return Refused(Reason.NOT_FOUND)
        return None

    def _settle(self, account: Account, found: str) -> None:
        self.clients[found] = account.held.pop(found)[1]
        account.settled.append(found)

    # · what holds

    @invariant()
    def the_ledger_is_as_the_model(self) -> None:
        with self.database.transaction("read") as db:
            for account in self.accounts:
                found = ledger.find_balance(db, account.user_id)
                page = ledger.history(db, account.user_id, limit=200)
                assert found is not None
                assert found.balance == account.balance
                assert page.total_count == len(account.told)
                shown = [(entry.type, entry.amount, entry.new_balance) for entry in page.entries]
                assert shown[::-1] == account.told
                sequence = [entry.sequence for entry in page.entries]
                assert sequence == list(range(len(account.told), 0, -1))

    @invariant()
    def the_ledger_agrees_with_itself(self) -> None:
        with self.database.transaction("read") as db:
            assert ledger.reconcile(db) == []
