"""One result of several wells of one sample: their mean and coefficient of variation (CV), exact.

Whether the CV is above the protocol's limit is judged on exact fractions; what is shown is rounded to a tenth. Wells
beyond a limit have no number: with each of them at its limit the mean is a bound (`bounded-mean`), and there is no CV.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from services.biomarkers.domain.laboratory_report import ContradictoryReport, NothingMeasured
from shared.contracts.biomarkers import CytokineFlag, Qualifier, ReportedCytokine
from shared.contracts.biomarkers_assayed import ReplicateRule, ReplicateSummary
from shared.protocol.biomarkers import Cytokines

TENTH = Decimal("0.1")
MOST_PLACES = 12
_SHOWN = Context(prec=40)


@dataclass(frozen=True, slots=True)
class Combined:
    """What replicates come to: a value, or a bound with its side."""

    value: Decimal | None
    qualifier: Qualifier | None
    bound: Decimal | None
    flags: tuple[CytokineFlag, ...]
    summary: ReplicateSummary


def wells(line: ReportedCytokine) -> list[ReportedCytokine]:
    """Each replicate as a line of its own, with the limits of all."""
    return [
        line.model_copy(update={"value": each.value, "qualifier": each.qualifier, "replicates": None})
        for each in line.replicates or ()
    ]


def combined(line: ReportedCytokine, key: str, qualifiers: Sequence[Qualifier | None], panel: Cytokines) -> Combined:
    """`qualifiers`: of each well, as the limits have it.

    Raises:
        ContradictoryReport, NothingMeasured.
    """
    if line.qualifier is not None:
        raise ContradictoryReport(f"{key} has replicates: a qualifier stands with each of them, not beside them")
    values = [each.value for each in wells(line)]
    below, above = (qualifiers.count(side) for side in (Qualifier.BELOW, Qualifier.ABOVE))
    numbers = [value for value, side in zip(values, qualifiers, strict=True) if side is None and value is not None]
    counts = {"n": len(values), "n_below_lloq": below, "n_above_uloq": above}
    limit = panel.replicate_cv_percent_limit.value
    if below or above:
        return _bounded(line, key, numbers, counts, limit)
    mean = _mean(numbers)
    if line.value is not None and not min(numbers) <= line.value <= max(numbers):
        raise ContradictoryReport(f"{key}: the value does not lie between its replicates; send it, or them, alone")
    summary = ReplicateSummary(
        **counts,
        mean_pg_ml=_rounded(mean, numbers),
        cv_percent=_cv_percent(numbers),
        cv_limit_percent=limit,
        rule=ReplicateRule.MEAN if line.value is None else ReplicateRule.REPORTED,
    )
    flags = (CytokineFlag.REPLICATES_DISAGREE,) if _exceeds(numbers, limit) else ()
    value = summary.mean_pg_ml if line.value is None else line.value
    return Combined(value, None, None, flags, summary)


def _bounded(
    line: ReportedCytokine, key: str, numbers: list[Decimal], counts: dict[str, int], cv_limit: Decimal
) -> Combined:
    below, above = counts["n_below_lloq"], counts["n_above_uloq"]
    if below and above:
        raise ContradictoryReport(f"{key}: replicates lie beyond both limits: send not_measured with assay-failed")
    if line.value is not None:
        raise ContradictoryReport(f"{key}: replicates lie beyond a limit: leave value out, their bound is the result")
    side, limit = (Qualifier.BELOW, line.lloq) if below else (Qualifier.ABOVE, line.uloq)
    if limit is None:
        raise NothingMeasured(f"{key}: a replicate is beyond a limit that is not told: send lloq or uloq")
    placed = [*numbers, *[limit] * (below or above)]
    bound = _rounded(_mean(placed), placed)
    summary = ReplicateSummary(
        **counts, mean_pg_ml=None, cv_percent=None, cv_limit_percent=cv_limit, rule=ReplicateRule.BOUNDED_MEAN
    )
    return Combined(None, side, bound, (CytokineFlag.REPLICATES_BEYOND_LIMIT,), summary)


def _mean(numbers: Sequence[Decimal]) -> Fraction:
    return sum(map(Fraction, numbers), Fraction(0)) / len(numbers)


def _variance(numbers: Sequence[Decimal]) -> Fraction:
    mean = _mean(numbers)
    return sum(((Fraction(each) - mean) ** 2 for each in numbers), Fraction(0)) / (len(numbers) - 1)


def _exceeds(numbers: Sequence[Decimal], limit_percent: Decimal) -> bool:
    """CV above the limit: (100 SD)^2 > (limit x mean)^2, so that no root is taken."""
    return 10000 * _variance(numbers) > (Fraction(limit_percent) * _mean(numbers)) ** 2


def _cv_percent(numbers: Sequence[Decimal]) -> Decimal:
    square = 10000 * _variance(numbers) / _mean(numbers) ** 2  # no number is 0: it would lie below a limit
    root = _SHOWN.sqrt(_SHOWN.divide(Decimal(square.numerator), Decimal(square.denominator)))
    return root.quantize(TENTH, rounding=ROUND_HALF_EVEN)


def _rounded(number: Fraction, numbers: Sequence[Decimal]) -> Decimal:
    """To one decimal place more than the finest of the numbers has, so that it stays between them."""
    finest = max(max(-int(each.normalize().as_tuple().exponent), 0) for each in numbers)
    places = Decimal(1).scaleb(-min(finest + 1, MOST_PLACES))
    exact = _SHOWN.divide(Decimal(number.numerator), Decimal(number.denominator))
    return Decimal(format(exact.quantize(places, rounding=ROUND_HALF_EVEN, context=_SHOWN).normalize(), "f"))
