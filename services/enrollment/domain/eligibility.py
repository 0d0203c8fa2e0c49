"""A participant's eligibility, as it is assessed and recorded: one answer to each criterion, and what they come to.

Age, sex and consent are answered from the participant's own record, everything else from the evidence sent, by the
rules in `criteria`. What is not evaluable is never met.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import ConfigDict, Field

from services.enrollment.domain.consent import consent_gaps
from services.enrollment.domain.criteria.answering import from_evidence, says
from services.enrollment.domain.criteria.evaluation import counts, outcome
from services.enrollment.domain.criteria.person import Person, applies, by_age, by_sex
from services.enrollment.domain.criteria.reasons import Answered, Reason, open_for
from services.enrollment.domain.facts import Facts, OutOfOrder, refuse_future_day
from services.enrollment.domain.life import Participant
from shared.consent.documents import NO_FORMS, Forms
from shared.contracts.enrollment import EligibilityAssessed, ParticipantEvent
from shared.contracts.enrollment_terms import Answer, CriterionAnswer, CriterionCategory, Evidence
from shared.contracts.terms import Code, Day
from shared.kernel.decider import Command
from shared.kernel.errors import Unacceptable
from shared.protocol import Criterion, Protocol


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


@dataclass(frozen=True, slots=True)
class About:
    """Whose eligibility is asked for, and on which day: under the protocol and the site's consent forms as they are."""

    participant: Participant
    on: date
    protocol: Protocol
    forms: Forms = NO_FORMS


class EvidenceNotAskedFor(Unacceptable):
    """Evidence was sent for something that the protocol does not ask, or that the participant's record answers."""


def assess(command: AssessEligibility, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    refuse_future_day(command.assessed_on.isoformat(), facts, participant.zone)
    if command.assessed_on < participant.data.screened_on:
        raise OutOfOrder("assessed_on lies before the present screening began")
    _refuse_stray_evidence(command.evidence, facts.protocol)
    assessed = assessment(participant, command.assessed_on, command.evidence, facts.protocol, facts.forms)
    return [] if assessed == participant.assessment else [assessed]


def assessment(
    participant: Participant, on: date, evidence: Mapping[str, Evidence], protocol: Protocol, forms: Forms = NO_FORMS
) -> EligibilityAssessed:
    """Every criterion answered as of a day, under the protocol and the site's consent forms as they are now."""
    about = About(participant, on, protocol, forms)
    answers = tuple(answer(criterion, evidence.get(criterion.id), about) for criterion in protocol.eligibility)
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


def answer(criterion: Criterion, evidence: Evidence | None, about: About) -> CriterionAnswer:
    """One criterion's answer for a participant on a day."""
    found = _find(criterion, evidence, about)
    return CriterionAnswer(
        criterion_id=criterion.id,
        category=CriterionCategory(criterion.type.value),
        answer=found.answer,
        why=found.why_recorded,
        counts=counts(found.why, about.protocol),
        evidence=evidence,
    )


def _find(criterion: Criterion, evidence: Evidence | None, about: About) -> Answered:
    if not applies(criterion, _person(about.participant), about.on, about.protocol):
        return Answered(Answer.MET, Reason.DOES_NOT_APPLY)
    if not criterion.is_set:
        return open_for(Reason.THRESHOLD_UNSET)
    own = _OWN_RECORD.get(criterion.quantity)
    if own is not None:
        return own(criterion, about)
    return open_for(Reason.MISSING) if evidence is None else from_evidence(criterion, evidence, about.on)


def _person(participant: Participant) -> Person:
    return Person(participant.data.sex, participant.data.birth_month)


def _age(criterion: Criterion, about: About) -> Answered:
    return by_age(criterion, about.participant.data.birth_month, about.on)


def _sex(criterion: Criterion, about: About) -> Answered:
    return by_sex(criterion, about.participant.data.sex)


def _consent(criterion: Criterion, about: About) -> Answered:
    gaps = consent_gaps(about.participant, about.on, about.protocol, about.forms)
    return says(criterion, holds=(not gaps) is criterion.threshold)


_OWN_RECORD = {"age_years": _age, "sex": _sex, "consent": _consent}


def _refuse_stray_evidence(evidence: Mapping[str, Evidence], protocol: Protocol) -> None:
    asked = {criterion.id for criterion in protocol.eligibility if criterion.quantity not in _OWN_RECORD}
    stray = sorted(set(evidence) - asked)
    if stray:
        known = ", ".join(sorted(asked)) or "nothing"
        raise EvidenceNotAskedFor(f"no evidence is asked for {', '.join(stray)[:200]}; it is for: {known}")
