"""Grades of results on record: by what is frozen on each, and the baseline that the protocol's rule chooses.

The baseline is the last valid value of the analyte before treatment. A value that comes late may take its place, and so
may another where the beginning of treatment becomes known or is corrected: then values are graded anew, as new events.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from uuid import UUID

from services.safety.domain.lab_grading import analytes, baseline, grading
from services.safety.domain.lab_grading.baseline import Beginning, Dated
from services.safety.domain.lab_grading.facts import Baseline, Facts, Limits, Measured, Pick, Policy, Qualifier
from services.safety.domain.lab_grading.grading import ExplainedGrade
from services.safety.domain.lab_results.results import Known
from services.safety.domain.lab_results.rows import Person
from shared.contracts.safety_laboratory import BaselineBasis, BaselineUsed, Grading, LaboratoryResult, ResultGrade
from shared.protocol import Protocol

# A baseline in another unit is converted, and a quotient may have no end; no laboratory reports more places.
PLACES = 12
_DIGITS = Context(prec=50)

_CHOSEN = {
    BaselineBasis.LYMPHODEPLETION: "the last valid value before the lymphodepletion",
    BaselineBasis.INFUSION: "the last valid value before the infusion",
    BaselineBasis.INFUSION_ALONE: "the last valid value before the infusion, for no lymphodepletion is on record",
}


@dataclass(frozen=True, slots=True)
class Baselines:
    """The chosen baseline of each analyte that has one, and what all of them lie before."""

    by_analyte: Mapping[str, Dated]
    basis: BaselineBasis


def chosen(known: Iterable[Known], person: Person, protocol: Protocol) -> Baselines:
    """The baseline of each analyte among all results of a participant."""
    began, rule = _beginning(person, protocol), protocol.ctcae.baseline.value
    by_analyte: dict[str, list[Dated]] = {}
    for each in known:
        if each.result.analyte is not None:
            by_analyte.setdefault(each.result.analyte, []).append(_dated(each.result, valid=not each.cancelled))
    found = {analyte: baseline.choose(values, began, rule) for analyte, values in by_analyte.items()}
    return Baselines({key: dated for key, dated in found.items() if dated is not None}, began.basis(rule))


def _beginning(person: Person, protocol: Protocol) -> Beginning:
    """When treatment began: with the earliest course that prepared the first infusion, and with that infusion."""
    listed = protocol.lymphodepletion
    if listed is None:
        return Beginning(lymphodepletion=None, infusion=person.infused_at)
    side = listed.first_day_without_time.value
    doses = [
        baseline.first_dose(each.began_on, each.first_dose_at, person.zone, side) for each in person.lymphodepletions
    ]
    return Beginning(lymphodepletion=min(doses, default=None), infusion=person.infused_at)


def baseline_used(result: LaboratoryResult, baselines: Baselines) -> BaselineUsed | None:
    """The baseline that a result is graded with; none of the baseline itself, nor of what was taken before it."""
    own = None if result.analyte is None else baselines.by_analyte.get(result.analyte)
    if own is None or result.analyte is None:
        return None
    used = baseline.for_grading(_dated(result), own, analytes.by_key(result.analyte))
    if used.value is None:
        return None
    value = _plain(used.value)
    return BaselineUsed(result_id=UUID(own.id), value=value, abnormal=used.abnormal, basis=baselines.basis)


def policy_of(protocol: Protocol) -> Policy:
    """The trial's choices where CTCAE v5.0 leaves one."""
    choices = protocol.ctcae
    return Policy(
        Pick(choices.when_facts_are_missing.value),
        choices.limits_come_first.value,
        choices.baseline_arm_above_uln.value,
    )


def graded(result: LaboratoryResult, used: BaselineUsed | None, policy: Policy) -> Grading:
    """The grades of a result with this baseline."""
    grades = tuple(
        ResultGrade(
            meddra_code=each.meddra_code,
            grade=each.grade,
            possible=each.possible_grades,
            rule=each.rule.partition(":")[0],
            arm=each.arm,
        )
        for each in explained(result, used, policy)
    )
    return Grading(result_id=result.result_id, baseline=used, grades=grades)


def explained(result: LaboratoryResult, used: BaselineUsed | None, policy: Policy) -> list[ExplainedGrade]:
    """The grades with their explanations, as they follow from what is frozen on the result."""
    if result.analyte is None:
        return []
    return grading.grade(
        grading.of_analyte(analytes.by_key(result.analyte)),
        _measured(result),
        Limits(result.lln, result.uln),
        Baseline() if used is None else Baseline(used.value, used.abnormal, _CHOSEN[used.basis]),
        Facts(age_years=None if result.age_months is None else Decimal(result.age_months // 12)),
        policy,
    )


def _dated(result: LaboratoryResult, *, valid: bool = True) -> Dated:
    limits = Limits(result.lln, result.uln)
    return Dated(str(result.result_id), result.collected_at, _measured(result), limits, valid)


def _measured(result: LaboratoryResult) -> Measured:
    qualifier = None if result.qualifier is None else Qualifier(result.qualifier.value)
    return Measured(result.value, result.unit, qualifier)


def _plain(value: Decimal) -> Decimal:
    """At most 12 decimal places, so that it is stored digit for digit as it was graded with."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -PLACES:
        return value
    return _DIGITS.quantize(value, Decimal(1).scaleb(-PLACES)).normalize(_DIGITS)
