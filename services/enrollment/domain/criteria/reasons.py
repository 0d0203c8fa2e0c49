"""Why a criterion is answered as it is: every reason that an event can say, and those that only a calculator tells."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from shared.contracts.enrollment_terms import Answer, Why


class Reason(StrEnum):
    """What one criterion's answer rests on. All but the last three are told by `Why` of the recorded assessment too."""

    COMPARED = "compared"  # with the protocol's threshold
    DOES_NOT_APPLY = "does-not-apply"  # not asked of people of this sex or age: met
    MISSING = "missing"
    STALE = "stale"  # older than the protocol allows
    DATE_MISSING = "date-missing"  # the protocol limits the age of the result, and its date is not known
    DATED_LATER = "dated-later"  # observed after the day that eligibility is asked for
    WRONG_UNIT = "wrong-unit"  # not known, or not one of this quantity
    IMPOSSIBLE = "impossible"  # below 0, or above what the quantity can be: a slip, or another unit
    WRONG_KIND = "wrong-kind"  # a number where yes or no is asked, or the like
    THRESHOLD_UNSET = "threshold-unset"  # the protocol knows no number yet
    BIRTHDAY_UNKNOWN = "birthday-unknown"  # the day of birth, which is not taken, would decide
    HALF_LIFE_UNKNOWN = "half-life-unknown"
    LIMIT_MISSING = "limit-missing"  # no upper limit of normal beside a value that is asked in multiples of it
    BOUND_UNDECIDED = "bound-undecided"  # a value such as <40 lies on both sides of the threshold
    FINDINGS_DIFFER = "findings-differ"  # of the same day, with different answers


INVALID = frozenset(
    {
        Reason.MISSING,
        Reason.STALE,
        Reason.DATE_MISSING,
        Reason.DATED_LATER,
        Reason.WRONG_UNIT,
        Reason.IMPOSSIBLE,
        Reason.WRONG_KIND,
        Reason.LIMIT_MISSING,
    }
)
"""What keeps a finding from counting at all: an older one may count in its place."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer. `value`: what was compared, in the criterion's unit; None where no number was."""

    answer: Answer
    why: Reason
    value: Fraction | None = None

    @property
    def why_recorded(self) -> Why:
        """The reason as an event says it: a missing limit leaves a value in a unit that nobody can compare."""
        return Why.WRONG_UNIT if self.why is Reason.LIMIT_MISSING else Why(self.why.value)


def open_for(why: Reason) -> Answered:
    """Nobody can tell, and why."""
    return Answered(Answer.NOT_EVALUABLE, why)
