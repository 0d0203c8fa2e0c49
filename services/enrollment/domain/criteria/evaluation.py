"""Eligibility on a day, from a person and findings: every criterion of the protocol answered, and what they come to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol as Shape

from services.enrollment.domain.criteria.findings import Finding, Weighed, weighed
from services.enrollment.domain.criteria.person import Person, applies, by_age, by_sex
from services.enrollment.domain.criteria.reasons import Answered, Reason, open_for
from shared.contracts.enrollment_terms import Answer, Eligibility, Sex
from shared.kernel.errors import Unacceptable
from shared.protocol import Criterion, Protocol

AGE, SEX = "age_years", "sex"


class FindingsContradict(Unacceptable):
    """A finding or the birth lies after the day that eligibility is asked for, or two findings have one id."""


class Counting(Shape):
    """An answer, and whether the protocol lets it keep anybody out."""

    @property
    def answer(self) -> Answer: ...

    @property
    def counts(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class CriterionEvaluated:
    """One criterion's answer, and the findings that it rests on."""

    criterion: Criterion
    weighed: Weighed
    counts: bool

    @property
    def answer(self) -> Answer:
        return self.weighed.answered.answer


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every criterion in the protocol's order. `unused`: the findings that none of them asks for."""

    outcome: Eligibility
    criteria: tuple[CriterionEvaluated, ...]
    unused: tuple[str, ...]


def evaluate(person: Person, findings: Sequence[Finding], on: date, protocol: Protocol) -> Evaluation:
    """Eligibility as of a day.

    Raises:
        FindingsContradict: a finding of a later day, a birth after it, or two findings of one id.
    """
    _refuse_contradictions(person, findings, on)
    criteria = tuple(_evaluated(criterion, person, findings, on, protocol) for criterion in protocol.eligibility)
    asked = {criterion.quantity for criterion in protocol.eligibility}
    unused = sorted(each.finding_id for each in findings if not each.quantities & asked)
    return Evaluation(outcome(criteria), criteria, tuple(unused))


def outcome(answers: Iterable[Counting]) -> Eligibility:
    """One criterion not met keeps out; otherwise one that is open, and counts, leaves the question open."""
    counting = {answer.answer for answer in answers if answer.counts}
    if Answer.NOT_MET in counting:
        return Eligibility.NOT_ELIGIBLE
    return Eligibility.NOT_EVALUABLE if Answer.NOT_EVALUABLE in counting else Eligibility.ELIGIBLE


def counts(why: Reason, protocol: Protocol) -> bool:
    """Whether an answer counts: a threshold that nobody knows keeps nobody out, unless the protocol lets it."""
    return why is not Reason.THRESHOLD_UNSET or protocol.enrolment.unset_criteria_block.value


def _refuse_contradictions(person: Person, findings: Sequence[Finding], on: date) -> None:
    if person.birth_month is not None and person.birth_month > on.isoformat()[:7]:
        raise FindingsContradict("birth_month lies after `as_of`: check both")
    if any(each.observed_on is not None and each.observed_on > on for each in findings):
        raise FindingsContradict(
            "a finding was observed after `as_of`: send what was known on that day, or a later day"
        )
    if len({each.finding_id for each in findings}) < len(findings):
        raise FindingsContradict("two findings have one `finding_id`: give each its own")


def _evaluated(
    criterion: Criterion, person: Person, findings: Sequence[Finding], on: date, protocol: Protocol
) -> CriterionEvaluated:
    own = _without_findings(criterion, person, on, protocol)
    asked = [each for each in findings if criterion.quantity in each.quantities]
    found = weighed(criterion, asked, on) if own is None else Weighed(own, (), ())
    return CriterionEvaluated(criterion, found, counts(found.answered.why, protocol))


def _without_findings(criterion: Criterion, person: Person, on: date, protocol: Protocol) -> Answered | None:
    """What the protocol or the person answers alone. None: it is a question of findings."""
    if not applies(criterion, person, on, protocol):
        return Answered(Answer.MET, Reason.DOES_NOT_APPLY)
    if not criterion.is_set:
        return open_for(Reason.THRESHOLD_UNSET)
    if criterion.quantity == AGE and person.birth_month is not None:
        return by_age(criterion, person.birth_month, on)
    if criterion.quantity == SEX and person.sex is not Sex.UNKNOWN:
        return by_sex(criterion, person.sex)
    return None
