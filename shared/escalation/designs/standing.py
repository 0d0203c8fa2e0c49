"""What a design looks at, and what it answers: the counts of each dose level, the parameters, the decision.

Participants who are not evaluable for dose-limiting toxicity (DLT) are replaced and in no count. A DLT counts as soon
as it is known, so whoever has one is evaluable; `pending` are those within their window and without one so far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from shared.kernel.errors import Unacceptable


class Decision(StrEnum):
    """Where the next participant is treated. `expand`: at this level, whose first cohort alone does not decide."""

    ESCALATE = "escalate"
    STAY = "stay"
    EXPAND = "expand"
    DE_ESCALATE = "de-escalate"
    STOP = "stop"
    WAIT = "wait"
    DECLARE_MTD = "declare-mtd"


class CountsContradict(Unacceptable):
    """The counts of the dose levels cannot all be true, or leave out what a design needs."""


class NotOfThisDesign(Unacceptable):
    """A parameter was sent that this design does not know, or one that it needs was not."""


@dataclass(frozen=True, slots=True)
class LevelCount:
    """One dose level, the lowest is 1. `dlt` of the `evaluable` had a dose-limiting toxicity.

    Raises:
        CountsContradict: more toxicities than participants who are evaluable.
    """

    level: int
    evaluable: int
    dlt: int
    pending: int

    def __post_init__(self) -> None:
        if self.dlt > self.evaluable:
            raise CountsContradict(
                "more DLTs than evaluable participants: whoever has a DLT is evaluable at once, so send `evaluable` "
                "with them in it and `dlt` not above it"
            )

    @property
    def enrolled(self) -> int:
        return self.evaluable + self.pending

    def closed(self, *, with_dlt: bool) -> "LevelCount":
        """This level once every window has closed: with a DLT in each who is pending now, or in none."""
        dlt = self.dlt + self.pending if with_dlt else self.dlt
        return LevelCount(self.level, self.enrolled, dlt, 0)

    def __str__(self) -> str:
        return f"{self.dlt} DLT among {self.evaluable} evaluable, {self.pending} pending"


@dataclass(frozen=True, slots=True)
class Parameters:
    """How an escalation is run. None: the design's own, or no limit.

    `levels`: how many dose levels there are. `target`: the rate of DLT that is aimed at. Without `allow_deescalation`
    nobody is treated at a lower level again. `max_sample_size`: in all, those pending included. The last four are
    BOIN's: after so many whole cohorts are decisions made, so many are treated at one level at most, from which
    probability on a level is too toxic, and whether the lowest one is judged more strictly.
    """

    levels: int
    target: Decimal | None = None
    allow_deescalation: bool = True
    max_sample_size: int | None = None
    cohort_size: int | None = None
    max_per_level: int | None = None
    elimination_cutoff: Decimal | None = None
    extra_safe: bool | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How an escalation stands: what is known of every level tried, and the level that is decided about."""

    parameters: Parameters
    current_level: int
    counts: Mapping[int, LevelCount]

    @property
    def current(self) -> LevelCount:
        return self.at(self.current_level)

    @property
    def pending(self) -> int:
        return sum(each.pending for each in self.counts.values())

    @property
    def is_full(self) -> bool:
        """Whether as many have been treated as were planned."""
        most = self.parameters.max_sample_size
        return most is not None and sum(each.enrolled for each in self.counts.values()) >= most

    def at(self, level: int) -> LevelCount:
        """A level's counts; one that nobody has been treated at has none."""
        return self.counts.get(level) or LevelCount(level, 0, 0, 0)

    def closed(self, *, with_dlt: bool) -> "Standing":
        closed = {level: each.closed(with_dlt=with_dlt) for level, each in self.counts.items()}
        return replace(self, counts=closed)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision. `next_level`: where the next participant is treated, None: nowhere, or nowhere yet."""

    decision: Decision
    next_level: int | None
    mtd: int | None
    eliminated_levels: tuple[int, ...]
    explanation: str

    @property
    def says(self) -> tuple[Decision, int | None, int | None]:
        return self.decision, self.next_level, self.mtd


def standing(parameters: Parameters, current_level: int, counts: Sequence[LevelCount]) -> Standing:
    """The standing that these counts describe.

    Raises:
        CountsContradict: a level that there is not, told twice or left out between others, or no row of the current.
    """
    told = sorted(each.level for each in counts)
    if not told or told[0] < 1 or told[-1] > parameters.levels:
        raise CountsContradict("send one row for each level tried, from 1 to at most `parameters.levels`")
    if any(later == level for level, later in pairwise(told)):
        raise CountsContradict("a level is told twice: send one row for each level")
    if any(later > level + 1 for level, later in pairwise(told)):
        raise CountsContradict("a level between two others is left out: send its row too, with 0 where nobody was")
    if current_level not in told:
        raise CountsContradict("`current_level` has no row in `levels`: send its counts, with 0 where nobody was")
    return Standing(parameters, current_level, {each.level: each for each in counts})
