"""One criterion held against one piece of evidence. Every answer is said of what eligibility asks.

An exclusion criterion is met where what it describes is absent. What is missing, stale, in another unit or without a
threshold is not evaluable; it is never met.
"""

from datetime import date, timedelta
from fractions import Fraction
from typing import assert_never

from services.enrollment.domain.criteria import comparing, quantities
from services.enrollment.domain.criteria.comparing import Qualifier, Span
from services.enrollment.domain.criteria.reasons import Answered, Reason, open_for
from shared.contracts.enrollment_terms import Answer, Evidence
from shared.protocol import Criterion, CriterionType, Operator, Unit, ValueType


def says(criterion: Criterion, *, holds: bool, value: Fraction | None = None) -> Answered:
    """Whether what the criterion describes holds, said of eligibility."""
    met = holds if criterion.type is CriterionType.INCLUSION else not holds
    return Answered(Answer.MET if met else Answer.NOT_MET, Reason.COMPARED, value)


def chosen(choice: str, criterion: Criterion) -> bool:
    """Whether a choice is one of those offered, upper and lower case alike."""
    offered = criterion.threshold if isinstance(criterion.threshold, tuple) else ()
    return criterion.operator is Operator.ANY or choice.casefold() in {each.casefold() for each in offered}


def threshold(criterion: Criterion) -> Fraction:
    """The threshold of a number that is set; the protocol's own validation has seen to its type."""
    return Fraction(criterion.threshold)  # type: ignore[arg-type]


def from_evidence(criterion: Criterion, evidence: Evidence, on: date, qualifier: Qualifier | None = None) -> Answered:
    """What the evidence says on a day. A number with a qualifier is a bound."""
    late = _out_of_date(criterion, evidence, on)
    if late is not None:
        return open_for(late)
    match criterion.value_type:
        case ValueType.NUMBER:
            return _number(criterion, evidence, qualifier)
        case ValueType.FLAG:
            if evidence.flag is None:
                return _not_this_kind(evidence)
            return says(criterion, holds=evidence.flag is criterion.threshold)
        case ValueType.CHOICE:
            if evidence.choice is None:
                return _not_this_kind(evidence)
            return says(criterion, holds=chosen(evidence.choice, criterion))
        case _:
            assert_never(criterion.value_type)


def _out_of_date(criterion: Criterion, evidence: Evidence, on: date) -> Reason | None:
    """A result from after the day cannot speak for it; nor can one older than the protocol allows."""
    if evidence.observed_on is not None and evidence.observed_on > on:
        return Reason.DATED_LATER
    if criterion.max_age_days is None or not _says_something(evidence):
        return None
    if evidence.observed_on is None:
        return Reason.DATE_MISSING
    return Reason.STALE if evidence.observed_on + timedelta(days=criterion.max_age_days) < on else None


def _says_something(evidence: Evidence) -> bool:
    said = (evidence.number, evidence.flag, evidence.choice, evidence.never)
    return any(value is not None for value in said)


def _not_this_kind(evidence: Evidence) -> Answered:
    return open_for(Reason.WRONG_KIND if _says_something(evidence) else Reason.MISSING)


def _number(criterion: Criterion, evidence: Evidence, qualifier: Qualifier | None) -> Answered:
    if evidence.never and criterion.unit is Unit.DAY:
        return _compared(criterion, evidence, comparing.FOREVER, None)
    if evidence.number is None:
        return _not_this_kind(evidence)
    value = quantities.in_unit_of(criterion, evidence.number, evidence.unit, evidence.upper_limit_of_normal)
    if isinstance(value, Reason):
        return open_for(value)
    return _compared(criterion, evidence, comparing.span(value, qualifier), value)


def _compared(criterion: Criterion, evidence: Evidence, span: Span, value: Fraction | None) -> Answered:
    found = {comparing.holds(span, criterion.operator, limit) for limit in _limits(criterion, evidence)}
    if None in found:
        return Answered(Answer.NOT_EVALUABLE, Reason.BOUND_UNDECIDED, value)
    if len(found) > 1:
        return Answered(Answer.NOT_EVALUABLE, Reason.HALF_LIFE_UNKNOWN, value)
    return says(criterion, holds=bool(found.pop()), value=value)


def _limits(criterion: Criterion, evidence: Evidence) -> tuple[Fraction, ...]:
    """The threshold, or so many half-lives of the drug where that is shorter.

    An unknown half-life may put the limit anywhere from 0 up: where both ends agree, it need not be known.
    """
    limit = threshold(criterion)
    if criterion.half_lives is None:
        return (limit,)
    if evidence.half_life_days is None:
        return limit, Fraction(0)
    return (min(limit, Fraction(criterion.half_lives) * Fraction(evidence.half_life_days)),)
