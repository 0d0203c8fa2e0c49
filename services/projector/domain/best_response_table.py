"""Best overall response, with and without confirmation: the rates of response and of disease control, and by group.

Denominators: `infused`, everybody who received the product; `response-evaluable`, those of them with an assessment
that could be evaluated. Disease control is CR, PR, MR, SD or NON-CR/NON-PD as best response. What was read after a new
anticancer therapy counts for nothing (`response_course`).
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.figures import Figure
from services.projector.domain.groups import Group, GroupedBy, groups
from services.projector.domain.response_course import Assessed, Course, courses
from services.projector.domain.response_figures import (
    BestCounts,
    DiseaseControlRate,
    Rate,
    best_counts,
    disease_control_rates,
    response_rates_of,
)
from shared.contracts.terms import PartialDate
from shared.protocol import Denominator, Protocol
from shared.response.best_overall import BestResponse, BestResponseRule
from shared.response.readings import Best


class BestByRule(Figure):
    """What the best responses of a group come to, with or without confirmation."""

    confirmed: bool
    counts: BestCounts
    rates: tuple[Rate, ...]
    disease_control: tuple[DiseaseControlRate, ...]


class GroupBest(Figure):
    """One group: who is in it, and its best responses by both rules, without confirmation first."""

    grouped_by: GroupedBy
    group: str | None = Field(description="null: all, or those of whom it is not known")
    infused: int
    evaluable: int
    rules: tuple[BestByRule, ...]


class BestOfParticipant(Figure):
    """The best response by one rule, the assessment that gave it, and the first objective response that counts."""

    confirmed: bool
    best: Best
    on: PartialDate | None
    day: int | None
    first_response_on: PartialDate | None
    first_response_day: int | None
    explanation: str


class ParticipantBest(Figure):
    """One participant."""

    participant_id: UUID
    subject_number: str
    dose_level: str | None
    tumour_type: str | None
    evaluable: bool
    progressed_on_day: int | None
    new_therapy_on: PartialDate | None = Field(description="The first new anticancer therapy; nothing after it counts")
    contradicts_itself: bool = Field(description="A PR after a CR: to be queried")
    rules: tuple[BestOfParticipant, ...]


class BestResponses(Figure):
    """The table. `confirmation` says which rule the protocol chose."""

    criteria: str
    evaluator: str
    infused: int
    confirmation: bool
    groups: tuple[GroupBest, ...]
    participants: tuple[ParticipantBest, ...]


def best_response_table(
    protocol: Protocol, cohort: Sequence[Infused], assessed: Iterable[Assessed], *, evaluator: str
) -> BestResponses:
    people = {each.participant.participant_id: each for each in courses(protocol, cohort, assessed)}
    best = {
        confirmed: {
            who: course.best(BestResponseRule.of(protocol, confirmed=confirmed)) for who, course in people.items()
        }
        for confirmed in (False, True)
    }
    return BestResponses(
        criteria=protocol.response.criteria.value,
        evaluator=evaluator,
        infused=len(people),
        confirmation=protocol.response.confirmation.value,
        groups=tuple(_group(protocol, group, people, best) for group in groups(protocol, cohort)),
        participants=tuple(
            _participant(course, [(confirmed, found[who]) for confirmed, found in best.items()])
            for who, course in people.items()
        ),
    )


BestOf = Mapping[bool, Mapping[UUID, BestResponse]]


def _group(protocol: Protocol, group: Group, people: Mapping[UUID, Course], best: BestOf) -> GroupBest:
    evaluable = sum(people[who].is_evaluable for who in group.members)
    denominators = {Denominator.INFUSED: len(group.members), Denominator.RESPONSE_EVALUABLE: evaluable}
    rules = []
    for confirmed, found in best.items():
        of_members = [found[who].best for who in group.members]
        rules.append(
            BestByRule(
                confirmed=confirmed,
                counts=best_counts(of_members),
                rates=response_rates_of(protocol, of_members, denominators),
                disease_control=disease_control_rates(protocol, of_members, denominators),
            )
        )
    return GroupBest(
        grouped_by=group.by, group=group.name, infused=len(group.members), evaluable=evaluable, rules=tuple(rules)
    )


def _participant(course: Course, found: Iterable[tuple[bool, BestResponse]]) -> ParticipantBest:
    rules = tuple(
        BestOfParticipant(
            confirmed=confirmed,
            best=each.best,
            on=each.on,
            day=_day(course, each.on),
            first_response_on=each.first_response_on,
            first_response_day=_day(course, each.first_response_on),
            explanation=each.explanation,
        )
        for confirmed, each in found
    )
    who = course.participant
    return ParticipantBest(
        participant_id=who.participant_id,
        subject_number=who.subject_number,
        dose_level=who.dose_level,
        tumour_type=who.tumour_type,
        evaluable=course.is_evaluable,
        progressed_on_day=course.progressed_on_day,
        new_therapy_on=who.new_therapy_on,
        contradicts_itself=course.contradicts_itself,
        rules=rules,
    )


def _day(course: Course, on: str | None) -> int | None:
    return None if on is None else course.day_of(on)
