"""The stages of the overload, one after the other, and what is printed of each."""

import time
from argparse import Namespace
from pathlib import Path

from benchmarks import databases
from benchmarks.overload.kinds import MIX, PASSWORDS, SIGN_IN, TOKENS, world_of
from benchmarks.overload.sender import BOUND
from benchmarks.overload.sending import SenderProcess, Sent, percentile, sending
from benchmarks.peer import ours
from benchmarks.peer.sides import Side
from benchmarks.trees import Tree

TIMES = 3
"""What is offered, as a multiple of what the server takes."""
WORKERS = 2
PEOPLE = 400
RECOVERY = 60.0
_AT_ONCE = 128
_QUIET_PART = 0.2
_CALM_AGAIN = 2.0
_CALM_SECONDS = 0.05
"""A p99 that is lower than this is calm, whatever it was before."""
_TOKENS = 1500


def print_overload(folder: Path, options: Namespace) -> None:
    """On SQLite and on PostgreSQL, with two workers each."""
    print(f"Limits of requests are off; {WORKERS} workers, and {PEOPLE} people with a password")
    _print_on(folder / "on-sqlite", "SQLite", None, None, options.seconds)
    if options.sqlite_only or not databases.can_start_postgres():
        return
    with databases.durable_postgres(folder / "durable") as (server, pid):
        url = server.create_database()
        _print_on(folder / "on-postgresql", "PostgreSQL", url, Tree(pid), options.seconds)


def _print_on(
    folder: Path, name: str, database_url: str | None, database: Tree | None, seconds: float
) -> None:
    with (
        ours.running(name, folder, WORKERS, database_url, database, people=PEOPLE) as side,
        sending(world_of(side, _TOKENS)) as sender,
    ):
        _print_stages(side, sender, seconds)


def _print_stages(side: Side, sender: SenderProcess, seconds: float) -> None:
    print(f"\n{side.name}")
    side.tree.forget_peak()
    before = side.tree.peak_megabytes()
    takes = sender.closed(MIX, _AT_ONCE, 4 * seconds)
    rate = takes.served / takes.seconds
    print(f"  takes {rate:.0f} a second of the mix, closed loop with {_AT_ONCE} at once")
    passwords = sender.closed(PASSWORDS, _AT_ONCE, 2 * seconds)
    password_rate = passwords.served / passwords.seconds
    print(f"  takes {password_rate:.1f} sign-ins with a password a second", flush=True)

    calm = _QUIET_PART * rate
    quiet = sender.open(TOKENS, calm, 4 * seconds)
    _print_sent(f"quiet: {calm:.0f} a second for programs alone", quiet)
    beside = _beside(sender, calm, TIMES * password_rate, 6 * seconds)
    _print_sent(f"the same beside {TIMES * password_rate:.0f} sign-ins a second", beside)
    offered = TIMES * rate
    flood = sender.open(MIX, offered, 10 * seconds)
    _print_sent(f"overload: {offered:.0f} a second of the mix", flood)
    back = _recovery(sender, calm, quiet.p99())
    _print_verdicts(quiet, beside, flood, back)
    print(f"  memory of all processes: {before:.0f} MB before, "
          f"{side.tree.peak_megabytes():.0f} MB at most")  # fmt: skip


def _recovery(sender: SenderProcess, per_second: float, quiet_p99: float) -> float | None:
    """Seconds until a second is as calm as before the flood."""
    begun = time.monotonic()
    while time.monotonic() - begun < RECOVERY:
        sent = sender.open(TOKENS, per_second, 1)
        shed = sum(one.shed.total() for one in sent.tallies.values())
        if not shed and sent.p99() <= max(_CALM_AGAIN * quiet_p99, _CALM_SECONDS):
            return time.monotonic() - begun
    return None


def _beside(sender: SenderProcess, calm: float, sign_ins: float, seconds: float) -> Sent:
    """Programs as often as in the quiet, and so many sign-ins."""
    share = sum(TOKENS.values()) * sign_ins / calm
    return sender.open({SIGN_IN: share, **TOKENS}, calm + sign_ins, seconds)


def _print_sent(title: str, sent: Sent) -> None:
    print(f"  {title} (sender at most {1000 * sent.late:.0f} ms late)")
    print(f"    {'':<26}{'offered':>9}{'served':>9}{'503':>9}{'429':>6}{'errors':>8}"
          f"{'p50':>10}{'p99':>10}{'503 p99':>10}")  # fmt: skip
    for name, one in sent.tallies.items():
        print(
            f"    {name:<26}{one.offered:>9}{len(one.seconds):>9}{one.shed[503]:>9}"
            f"{one.shed[429]:>6}{one.errors.total():>8}{_ms(one.seconds, 50):>10}"
            f"{_ms(one.seconds, 99):>10}{_ms(one.shed_seconds, 99):>10}",
            flush=True,
        )
        for reason, times in one.errors.most_common(3):
            print(f"      {times} times {reason}")


def _print_verdicts(quiet: Sent, beside: Sent, flood: Sent, back: float | None) -> None:
    errors = beside.errors + flood.errors
    print(f"  errors other than 503 and 429, {BOUND:g} s without an answer among them: "
          f"{errors}: {'met' if not errors else 'MISSED'}")  # fmt: skip
    print(
        f"  p99 of programs beside sign-ins: {beside.p99() / quiet.p99():.1f} times the quiet one"
    )
    when = "never" if back is None else f"{back:.0f} s"
    floor = 1000 * _CALM_SECONDS
    print(f"  p99 back to twice the quiet one, or below {floor:.0f} ms, after: {when}: "
          f"{'MISSED' if back is None else 'met'}")  # fmt: skip


def _ms(values: list[float], percent: int) -> str:
    return f"{1000 * percentile(values, percent):.0f} ms" if values else "-"
