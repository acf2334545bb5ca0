"""What `python -m benchmarks` may be asked for."""

import argparse

_WHAT_IT_DOES = (
    "Prints how fast the server starts, how much memory it holds, and what each answer costs."
    " All of it, with the peer, takes half an hour; --quick three minutes, --alone one."
)


def read_options() -> argparse.Namespace:
    """What the command line says, with what follows from it filled in; exits where it is wrong."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=_WHAT_IT_DOES)
    _add_extent(parser)
    _add_instead(parser)
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.starts = (0 if options.only else 3) if options.starts is None else options.starts
    options.seconds = options.seconds or (1.0 if options.quick or options.alone else 2.0)
    return options


def _add_extent(parser: argparse.ArgumentParser) -> None:
    """How much is measured, and for how long."""
    parser.add_argument("--seconds", type=float, help="for each operation, of each round")
    parser.add_argument("--rounds", type=int, help="in which both servers are asked")
    parser.add_argument("--quick", action="store_true", help="two short rounds, one worker each")
    parser.add_argument("--only", default="", metavar="NAME", help="operations with that in it")
    parser.add_argument("--alone", action="store_true", help="no peer, one client: a minute")
    parser.add_argument("--sqlite-only", action="store_true", help="leave PostgreSQL out")
    parser.add_argument(
        "--starts",
        type=int,
        help="of each kind; without any, as with --only, memory and costs alone are left out too",
    )
    parser.add_argument("--sign-ins", type=int, default=100, help="before memory is read")


def _add_instead(parser: argparse.ArgumentParser) -> None:
    """What is measured instead of all that, and how much of it."""
    parser.add_argument(
        "--profile", metavar="NAME", help="instead: where the time of these operations goes"
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help="instead: every request with few and with very many people, on PostgreSQL;"
        " it takes ten minutes and 12 GB of disk",
    )
    parser.add_argument(
        "--users", type=int, nargs=2, default=(1000, 1_000_000), help="few and many, with --growth"
    )
    parser.add_argument("--entries", type=int, default=5, help="in the ledger for each of them")
    parser.add_argument("--calls", type=int, default=300, help="of each kind, with --growth")
    parser.add_argument(
        "--memory",
        action="store_true",
        help="instead: what a process holds while it answers very much; some minutes",
    )
    parser.add_argument(
        "--operations", type=int, default=100_000, help="to be answered, with --memory"
    )
    parser.add_argument(
        "--overload",
        action="store_true",
        help="instead: three times what the server takes, and what becomes of it",
    )
