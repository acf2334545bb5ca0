"""How many guesses a password takes: zxcvbn, which knows words, names, dates and keyboards."""

from collections.abc import Iterable
from typing import NamedTuple

_READ = 64
"""Characters that are looked at: the time grows with the square of them, and more only helps."""
_READ_ANYWAY = 20
_LOOK_ALIKES = frozenset("@({[<!|$+%")
_MOST_LOOK_ALIKES = 5
"""Different ones in more than the first `_READ_ANYWAY` characters: zxcvbn tries each as a letter or
not, in every combination, and no other thread of the process runs meanwhile."""
_MAX_WORDS = 20
_MAX_WORD = 64


class Estimate(NamedTuple):
    """`score` from 0 (at once) to 4; `reason` is a code for what makes it easy, if that is known.

    3 stands for at least 10⁸ guesses: a stolen Argon2id hash then costs more than most accounts
    are worth, and our throttling makes such a password a matter of thousands of years.
    """

    score: int
    reason: str | None


_REASONS = {
    "StraightRowsOfKeysAreEasyToGuess": "keyboard",
    "ShortKeyboardPatternsAreEasyToGuess": "keyboard",
    "RepeatsLikeAaaAreEasyToGuess": "repeats",
    "RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess": "repeats",
    "SequencesLikeAbcAreEasyToGuess": "sequence",
    "RecentYearsAreEasyToGuess": "date",
    "DatesAreOftenEasyToGuess": "date",
    "NamesAndSurnamesByThemselvesAreEasyToGuess": "names",
    "CommonNamesAndSurnamesAreEasyToGuess": "names",
    "AWordByItselfIsEasyToGuess": "word",
    "ThisIsATop10Password": "known",
    "ThisIsATop100Password": "known",
    "ThisIsACommonPassword": "known",
    "ThisIsSimilarToACommonlyUsedPassword": "known",
}


def estimate(password: str, words: Iterable[str] = ()) -> Estimate:
    """Estimate `password` for somebody who knows `words`: username, address, name of the site."""
    import zxcvbn_rs_py  # noqa: PLC0415 - its word lists take memory, and few passwords are chosen

    known = [word[:_MAX_WORD] for word in words][:_MAX_WORDS]
    result = zxcvbn_rs_py.zxcvbn(_beginning(password), known)
    warning = repr(result.feedback.warning) if result.feedback else ""
    return Estimate(int(result.score), _REASONS.get(warning.rpartition(".")[2]))


def _beginning(password: str) -> str:
    """The part that is estimated: for any password, that takes no longer than a hash."""
    seen: set[str] = set()
    for place, char in enumerate(password[:_READ]):
        if char in _LOOK_ALIKES:
            seen.add(char)
        if len(seen) > _MOST_LOOK_ALIKES:
            return password[: max(place, _READ_ANYWAY)]
    return password[:_READ]
