"""What counts as growing: the straight line through the last two thirds of what was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, mean

from benchmarks.soak.samples import Kind


@dataclass(frozen=True)
class Verdict:
    first: float
    last: float
    most: float
    rise: float
    """Of that line, from its beginning to its end."""
    bound: float

    @property
    def is_steady(self) -> bool:
        return self.rise <= self.bound


def judge(kind: Kind, values: Sequence[float], each_round: float = 0.0) -> Verdict:
    """Of values that may rise by so much `each_round`; raises ValueError of fewer than three."""
    if len(values) < 3:
        raise ValueError("too short a run to tell")
    tail = values[len(values) // 3 :]
    line = linear_regression(range(len(tail)), tail)
    rounds = len(tail) - 1
    bound = kind.part * mean(tail) + kind.absolute + each_round * rounds
    return Verdict(values[0], values[-1], max(values), line.slope * rounds, bound)
