"""What an answer rests on, in a sentence: the value as it was compared, and the threshold."""

from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction

from services.enrollment.domain.criteria.evaluation import CriterionEvaluated
from services.enrollment.domain.criteria.reasons import Reason
from shared.protocol import Criterion, CriterionType, ValueType

SHOWN = Context(prec=15)


def shown(value: Fraction) -> Decimal:
    """A value as it is shown, with at most 15 significant digits. It is compared without rounding."""
    rounded = SHOWN.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize(SHOWN)
    return Decimal(format(rounded, "f"))


_SAYS: Mapping[Reason, str] = {
    Reason.COMPARED: "{value}; {who} {asked}",
    Reason.DOES_NOT_APPLY: "asked of {of}s alone",
    Reason.MISSING: "nothing that says it was sent",
    Reason.STALE: "a finding counts for {days} days, and none is so new",
    Reason.DATE_MISSING: "a finding counts for {days} days, and the date of this one is not known",
    Reason.DATED_LATER: "found after the day that is asked for",
    Reason.WRONG_UNIT: "the unit is missing, not known, or none of this quantity: send one that converts to {unit}",
    Reason.IMPOSSIBLE: "below 0, or above what it can be: check the number and its unit",
    Reason.WRONG_KIND: "a {kind} answers it, and something else was sent",
    Reason.THRESHOLD_UNSET: "the protocol has no threshold yet",
    Reason.BIRTHDAY_UNKNOWN: "the day of birth, which is not taken, would decide",
    Reason.HALF_LIFE_UNKNOWN: "{value}; {who} {asked}: half_life_days would decide, and was not sent",
    Reason.LIMIT_MISSING: "asked in multiples of the upper limit of normal, and upper_limit_of_normal was not sent",
    Reason.BOUND_UNDECIDED: "{value} may lie on either side; {who} {asked}",
    Reason.FINDINGS_DIFFER: "findings of the same day give different answers",
}


def explained(found: CriterionEvaluated) -> str:
    """Why the answer is what it is."""
    criterion = found.criterion
    return _SAYS[found.weighed.answered.why].format(
        value=_value(found),
        who="what excludes is" if criterion.type is CriterionType.EXCLUSION else "asked is",
        asked=asked(criterion),
        days=criterion.max_age_days,
        unit=criterion.unit,
        kind=criterion.value_type,
        of=criterion.applies_to,
    )


def asked(criterion: Criterion) -> str:
    """The threshold in words."""
    if criterion.value_type is ValueType.NUMBER:
        shorter = f", or {criterion.half_lives} half-lives if shorter" if criterion.half_lives is not None else ""
        return f"{criterion.operator} {criterion.threshold} {criterion.unit}{shorter}"
    if isinstance(criterion.threshold, bool):
        return "yes" if criterion.threshold else "no"
    return " or ".join(criterion.threshold) if isinstance(criterion.threshold, tuple) else "any that is known"


def _value(found: CriterionEvaluated) -> str:
    answered, criterion = found.weighed.answered, found.criterion
    first = found.weighed.counted[0][0] if found.weighed.counted else None
    if answered.value is not None:
        qualifier = first.qualifier or "" if first else ""
        return f"{qualifier}{shown(answered.value)} {criterion.unit}"
    if first is None:
        return "as the record says"
    if first.never:
        return "it never took place"
    return first.choice if first.choice is not None else "yes" if first.flag else "no"
