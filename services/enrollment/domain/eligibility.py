"""Eligibility: one answer to each criterion of the protocol, and what they come to.

Every answer is said of what eligibility asks: an exclusion criterion is met where what it describes is absent. Age,
sex and consent are answered from the participant's own record, everything else from the evidence sent. What is
missing, stale, in another unit or without a threshold is not evaluable; it is never met. There are no waivers.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import assert_never

from pydantic import ConfigDict, Field

from services.enrollment.domain.age import age_on
from services.enrollment.domain.consent import consent_gaps
from services.enrollment.domain.facts import Facts, OutOfOrder, refuse_future_day
from services.enrollment.domain.life import Participant
from shared.contracts.enrollment import EligibilityAssessed, ParticipantEvent
from shared.contracts.enrollment_terms import (
    Answer,
    CriterionAnswer,
    CriterionCategory,
    Eligibility,
    Evidence,
    Sex,
    Why,
)
from shared.contracts.terms import Code, Day
from shared.kernel.decider import Command
from shared.kernel.errors import Unacceptable
from shared.protocol import AppliesTo, Criterion, CriterionType, Operator, Protocol, ValueType

TIMES_ULN = "{xULN}"  # a multiple of the laboratory's upper limit of normal
DAYS = "d"


class AssessEligibility(Command):
    """Assess a participant against every criterion of the protocol, on what is known on a day.

    `evidence` is given by criterion. A criterion that nothing is sent for is answered "not evaluable: missing".
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "assessed_on": "2026-03-06",
                    "evidence": {
                        "CMD03-I4": {"flag": True, "observed_on": "2026-03-04"},
                        "AN-04": {"number": "1.2", "unit": "{xULN}", "observed_on": "2026-03-04"},
                        "AN-16": {"flag": False},
                    },
                }
            ]
        }
    )

    assessed_on: Day
    evidence: dict[Code, Evidence] = Field(
        default_factory=dict,
        max_length=200,
        examples=[{"AN-04": {"number": "1.2", "unit": "{xULN}", "observed_on": "2026-03-02"}}],
    )


class EvidenceNotAskedFor(Unacceptable):
    """Evidence was sent for something that the protocol does not ask, or that the participant's record answers."""


Finding = tuple[Answer, Why]

MISSING: Finding = (Answer.NOT_EVALUABLE, Why.MISSING)


def assess(command: AssessEligibility, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    refuse_future_day(command.assessed_on.isoformat(), facts, participant.zone)
    if command.assessed_on < participant.data.screened_on:
        raise OutOfOrder("assessed_on lies before the present screening began")
    _refuse_stray_evidence(command.evidence, facts.protocol)
    assessed = assessment(participant, command.assessed_on, command.evidence, facts.protocol)
    return [] if assessed == participant.assessment else [assessed]


def assessment(
    participant: Participant, on: date, evidence: Mapping[str, Evidence], protocol: Protocol
) -> EligibilityAssessed:
    """Every criterion answered as of a day, under the protocol as it is now."""
    answers = tuple(
        answer(criterion, evidence.get(criterion.id), participant, on, protocol) for criterion in protocol.eligibility
    )
    return EligibilityAssessed(
        participant_id=participant.participant_id,
        screening_number=participant.screening_number,
        assessed_on=on,
        outcome=outcome(answers),
        answers=answers,
        protocol=protocol.ref,
    )


def evidence_of(assessed: EligibilityAssessed) -> dict[str, Evidence]:
    """The evidence that an assessment rested on, as it was sent."""
    return {answer.criterion_id: answer.evidence for answer in assessed.answers if answer.evidence is not None}


def outcome(answers: Iterable[CriterionAnswer]) -> Eligibility:
    """One criterion not met keeps out; otherwise one that is open, and counts, leaves the question open."""
    counting = {answer.answer for answer in answers if answer.counts}
    if Answer.NOT_MET in counting:
        return Eligibility.NOT_ELIGIBLE
    return Eligibility.NOT_EVALUABLE if Answer.NOT_EVALUABLE in counting else Eligibility.ELIGIBLE


def answer(
    criterion: Criterion, evidence: Evidence | None, participant: Participant, on: date, protocol: Protocol
) -> CriterionAnswer:
    """One criterion's answer for a participant on a day."""
    found, why = _find(criterion, evidence, participant, on, protocol)
    return CriterionAnswer(
        criterion_id=criterion.id,
        category=CriterionCategory(criterion.type.value),
        answer=found,
        why=why,
        counts=why is not Why.THRESHOLD_UNSET or protocol.enrolment.unset_criteria_block.value,
        evidence=evidence,
    )


def _find(
    criterion: Criterion, evidence: Evidence | None, participant: Participant, on: date, protocol: Protocol
) -> Finding:
    if not _applies(criterion, participant, on, protocol):
        return Answer.MET, Why.DOES_NOT_APPLY
    if not criterion.is_set:
        return Answer.NOT_EVALUABLE, Why.THRESHOLD_UNSET
    own = _OWN_RECORD.get(criterion.quantity)
    if own is not None:
        return own(criterion, participant, on, protocol)
    return MISSING if evidence is None else _from_evidence(criterion, evidence, on)


def _applies(criterion: Criterion, participant: Participant, on: date, protocol: Protocol) -> bool:
    """Whether a criterion is asked of a participant; where sex or age leaves it open, it is."""
    match criterion.applies_to:
        case AppliesTo.EVERYONE:
            return True
        case AppliesTo.FEMALE:
            return participant.data.sex is not Sex.MALE
        case AppliesTo.MINOR:
            age = age_on(participant.data.birth_month, on)
            return age.at_least < protocol.consent.majority_age_years.value
        case _:
            assert_never(criterion.applies_to)


def _says(criterion: Criterion, *, holds: bool) -> Finding:
    """Whether what the criterion describes holds, said of eligibility."""
    met = holds if criterion.type is CriterionType.INCLUSION else not holds
    return (Answer.MET if met else Answer.NOT_MET), Why.COMPARED


def _age(criterion: Criterion, participant: Participant, on: date, _protocol: Protocol) -> Finding:
    age = age_on(participant.data.birth_month, on)
    limit = _threshold(criterion)
    youngest = _holds(Decimal(age.at_least), limit, criterion)
    oldest = _holds(Decimal(age.at_most), limit, criterion)
    return _says(criterion, holds=oldest) if youngest == oldest else (Answer.NOT_EVALUABLE, Why.BIRTHDAY_UNKNOWN)


def _sex(criterion: Criterion, participant: Participant, _on: date, _protocol: Protocol) -> Finding:
    if participant.data.sex is Sex.UNKNOWN:
        return MISSING
    return _says(criterion, holds=_chosen(participant.data.sex.value, criterion))


def _consent(criterion: Criterion, participant: Participant, on: date, protocol: Protocol) -> Finding:
    return _says(criterion, holds=(not consent_gaps(participant, on, protocol)) is criterion.threshold)


_OWN_RECORD = {"age_years": _age, "sex": _sex, "consent": _consent}


def _refuse_stray_evidence(evidence: Mapping[str, Evidence], protocol: Protocol) -> None:
    asked = {criterion.id for criterion in protocol.eligibility if criterion.quantity not in _OWN_RECORD}
    stray = sorted(set(evidence) - asked)
    if stray:
        known = ", ".join(sorted(asked)) or "nothing"
        raise EvidenceNotAskedFor(f"no evidence is asked for {', '.join(stray)[:200]}; it is for: {known}")


def _from_evidence(criterion: Criterion, evidence: Evidence, on: date) -> Finding:
    late = _out_of_date(criterion, evidence, on)
    if late is not None:
        return Answer.NOT_EVALUABLE, late
    match criterion.value_type:
        case ValueType.NUMBER:
            return _number(criterion, evidence)
        case ValueType.FLAG:
            if evidence.flag is None:
                return _not_this_kind(evidence)
            return _says(criterion, holds=evidence.flag is criterion.threshold)
        case ValueType.CHOICE:
            if evidence.choice is None:
                return _not_this_kind(evidence)
            return _says(criterion, holds=_chosen(evidence.choice, criterion))
        case _:
            assert_never(criterion.value_type)


def _out_of_date(criterion: Criterion, evidence: Evidence, on: date) -> Why | None:
    """A result from after the day cannot speak for it; nor can one older than the protocol allows."""
    if evidence.observed_on is not None and evidence.observed_on > on:
        return Why.DATED_LATER
    if criterion.max_age_days is None or not _says_something(evidence):
        return None
    if evidence.observed_on is None:
        return Why.DATE_MISSING
    return Why.STALE if evidence.observed_on + timedelta(days=criterion.max_age_days) < on else None


def _says_something(evidence: Evidence) -> bool:
    said = (evidence.number, evidence.flag, evidence.choice, evidence.never)
    return any(value is not None for value in said)


def _not_this_kind(evidence: Evidence) -> Finding:
    return (Answer.NOT_EVALUABLE, Why.WRONG_KIND) if _says_something(evidence) else MISSING


def _chosen(choice: str, criterion: Criterion) -> bool:
    offered = criterion.threshold
    return criterion.operator is Operator.ANY or (isinstance(offered, tuple) and choice in offered)


def _number(criterion: Criterion, evidence: Evidence) -> Finding:
    if evidence.never and criterion.unit == DAYS:
        return _says(criterion, holds=_holds(Decimal("Infinity"), _threshold(criterion), criterion))
    if evidence.number is None:
        return _not_this_kind(evidence)
    limit = _limit_in_unit_of(evidence, criterion)
    if limit is None:
        return Answer.NOT_EVALUABLE, Why.WRONG_UNIT
    if criterion.half_lives is None:
        return _says(criterion, holds=_holds(evidence.number, limit, criterion))
    return _within_half_lives(criterion, criterion.half_lives, evidence.number, evidence.half_life_days)


def _within_half_lives(
    criterion: Criterion, half_lives: Decimal, days: Decimal, half_life_days: Decimal | None
) -> Finding:
    """Compare days with the threshold, or with so many half-lives of the drug where that is shorter.

    An unknown half-life may put the limit anywhere from 0 up: where both ends agree, it need not be known.
    """
    shortest = Decimal(0) if half_life_days is None else half_lives * half_life_days
    at_most = _holds(days, _threshold(criterion), criterion)
    at_least = _holds(days, min(_threshold(criterion), shortest), criterion)
    if half_life_days is not None or at_most == at_least:
        return _says(criterion, holds=at_least)
    return Answer.NOT_EVALUABLE, Why.HALF_LIFE_UNKNOWN


def _limit_in_unit_of(evidence: Evidence, criterion: Criterion) -> Decimal | None:
    """The threshold in the evidence's unit, or None where it cannot be said in it. Units are compared as UCUM texts."""
    limit = _threshold(criterion)
    if evidence.unit == criterion.unit:
        return limit
    if criterion.unit == TIMES_ULN and evidence.unit is not None and evidence.upper_limit_of_normal is not None:
        return limit * evidence.upper_limit_of_normal
    return None


def _threshold(criterion: Criterion) -> Decimal:
    """The threshold of a number that is set; the protocol's own validation has seen to its type."""
    return Decimal(criterion.threshold)  # type: ignore[arg-type]


def _holds(number: Decimal, limit: Decimal, criterion: Criterion) -> bool:
    """Strictness is the criterion's: `<` is not met at the limit, `<=` is."""
    return _COMPARE[criterion.operator](number, limit)


_COMPARE: Mapping[Operator, Callable[[Decimal, Decimal], bool]] = {
    Operator.AT_LEAST: operator.ge,
    Operator.AT_MOST: operator.le,
    Operator.BELOW: operator.lt,
    Operator.ABOVE: operator.gt,
    Operator.EQUAL: operator.eq,
}
