"""The independent review of one participant: two blinded readings of each time point, and an adjudicator between them.

Two readings are of one time point if they name the same visit or, without one, the same date. Where their responses
differ the adjudicator is asked, and told in what: other targets, a new lesion, non-target disease, another date, a sum
close to a limit, or else the measurements. What the readers agree on, or the adjudicator decides, is the response of
the review; where a reading changes afterwards, what rested on it falls and is asked anew.

A settled response is dated by the reading it is taken from; where both say the same, a progression by the earlier of
the two, any other response by the later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import reduce
from typing import Literal, Self, assert_never
from uuid import UUID, uuid5

from pydantic import ConfigDict, Field, model_validator

from services.efficacy.domain.burden import TumourBurden
from services.efficacy.domain.criteria.readings import CriteriaEngine
from services.efficacy.domain.overrides import ensure_known
from shared.contracts.efficacy import ResponseAssigned
from shared.contracts.efficacy_review import (
    Difference,
    DiscordanceFound,
    DiscordanceResolved,
    IndependentRead,
    IndependentReadReceived,
    IndependentReadWithdrawn,
    IndependentResponseSettled,
    IndependentResponseUnsettled,
    ResponseAdjudicated,
    SettledBy,
)
from shared.contracts.efficacy_terms import Certainty, Evaluator, Findings, LesionRole, Response
from shared.contracts.terms import Reason, ShortText, earliest
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import Conflict, NotFound

NEAR_A_LIMIT_PERCENT = Decimal(10)  # proposed by this project: of the limit, on either side

READERS = (Evaluator.INDEPENDENT_READER_1, Evaluator.INDEPENDENT_READER_2)

ReviewEvent = (
    IndependentReadReceived
    | IndependentReadWithdrawn
    | DiscordanceFound
    | DiscordanceResolved
    | ResponseAdjudicated
    | IndependentResponseSettled
    | IndependentResponseUnsettled
)


class AdjudicateResponse(Command):
    """Decide between two readers at a time point: side with one of them, or give a response that is neither's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "time_point": "D90",
                    "sides_with": "independent-reader-2",
                    "reason": "The lesion in segment VI is new: it lies outside the baseline's",
                }
            ]
        }
    )

    time_point: ShortText
    sides_with: Literal[Evaluator.INDEPENDENT_READER_1, Evaluator.INDEPENDENT_READER_2] | None = None
    response: Response | None = Field(None, description="Where it is neither reader's")
    reason: Reason

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.sides_with is None) == (self.response is None):
            raise ValueError("give sides_with, or a response that is neither reader's, and not both")
        return self


class ReadingChanged(Command):
    """A reader's tumour burden as it now stands: not sent by anybody, but carried out with the reader's own command."""

    evaluator: Evaluator
    reads: tuple[IndependentRead, ...]


ReviewCommand = AdjudicateResponse | ReadingChanged


class NothingToAdjudicate(NotFound):
    """The two readers do not differ at a time point of this name, or have not both read it yet."""


class AlreadyAdjudicated(Conflict):
    """This response was adjudicated already, on the same readings."""


@dataclass(frozen=True, slots=True)
class Point:
    """One time point as the review has it: what is asked, what was decided, what is settled."""

    discordance: DiscordanceFound | None = None
    adjudicated: ResponseAdjudicated | None = None
    settled: IndependentResponseSettled | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """All readings that count, by reader and assessment, and all time points that anything was said of."""

    reads: Mapping[Evaluator, Mapping[UUID, IndependentRead]] = field(
        default_factory=lambda: {reader: {} for reader in READERS}
    )
    points: Mapping[str, Point] = field(default_factory=dict)

    def of_point(self, time_point: str) -> Point:
        return self.points.get(time_point, Point())

    def pair(self, time_point: str) -> tuple[IndependentRead, IndependentRead] | None:
        """Both readings of a time point; None as long as one is missing."""
        first, second = (self.reading(reader, time_point) for reader in READERS)
        return None if first is None or second is None else (first, second)

    def reading(self, reader: Evaluator, time_point: str) -> IndependentRead | None:
        of_it = [each for each in self.reads[reader].values() if point_of(each) == time_point]
        return max(of_it, key=lambda each: (earliest(each.assessed_on), each.assessment_id), default=None)


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """`criteria` decides for this participant: an adjudicator's own response is one of its words."""

    participant_id: UUID
    criteria: CriteriaEngine


def point_of(read: IndependentRead) -> str:
    """The name of the time point that a reading is of: its visit or, without one, its date."""
    return read.visit or read.assessed_on


def evolve(review: Review, event: ReviewEvent) -> Review:
    match event:
        case IndependentReadReceived(evaluator=reader, read=read):
            return replace(review, reads={**review.reads, reader: {**review.reads[reader], read.assessment_id: read}})
        case IndependentReadWithdrawn(evaluator=reader, assessment_id=gone):
            left = {key: read for key, read in review.reads[reader].items() if key != gone}
            return replace(review, reads={**review.reads, reader: left})
        case _:
            return replace(review, points={**review.points, event.time_point: _point(review, event)})


def _point(
    review: Review,
    event: DiscordanceFound
    | DiscordanceResolved
    | ResponseAdjudicated
    | IndependentResponseSettled
    | IndependentResponseUnsettled,
) -> Point:
    point = review.of_point(event.time_point)
    match event:
        case DiscordanceFound():
            return replace(point, discordance=event, adjudicated=None)
        case DiscordanceResolved():
            return replace(point, discordance=None, adjudicated=None)
        case ResponseAdjudicated():
            return replace(point, adjudicated=event)
        case IndependentResponseSettled():
            return replace(point, settled=event)
        case IndependentResponseUnsettled():
            return replace(point, settled=None)
        case _:
            assert_never(event)


def decide(command: ReviewCommand, review: Review, facts: ReviewFacts) -> list[ReviewEvent]:
    match command:
        case ReadingChanged():
            return _taken_in(command, review, facts)
        case AdjudicateResponse():
            decision = _adjudicated(command, review, facts)
            return [*decision, *_settled(reduce(evolve, decision, review), command.time_point, facts)]
        case _:
            assert_never(command)


def reads_of(burden: TumourBurden) -> tuple[IndependentRead, ...]:
    """What the review is told of a reader's tumour burden: each assessment that counts, with its response."""
    places = tuple(
        sorted(
            " ".join(filter(None, (lesion.organ.value, lesion.laterality and lesion.laterality.value)))
            for lesion in burden.of_role(LesionRole.TARGET).values()
        )
    )
    return tuple(
        _read(assessment_id, assessment.findings, assessment.assigned, places)
        for assessment_id, assessment in burden.standing.items()
        if assessment.assigned is not None
    )


def _read(
    assessment_id: UUID, findings: Findings, assigned: ResponseAssigned, places: tuple[str, ...]
) -> IndependentRead:
    return IndependentRead(
        assessment_id=assessment_id,
        assessed_on=findings.assessed_on,
        visit=findings.visit,
        criteria=assigned.criteria,
        response=assigned.response,
        rule=assigned.rule,
        targets=places,
        new_lesion=any(each.certainty is Certainty.UNEQUIVOCAL for each in findings.new_lesions),
        unit=assigned.basis.unit,
        sum=assigned.basis.sum,
        progression_above=assigned.basis.progression_above,
        response_below=assigned.basis.response_below,
    )


def _taken_in(command: ReadingChanged, review: Review, facts: ReviewFacts) -> list[ReviewEvent]:
    before, now = review.reads[command.evaluator], {read.assessment_id: read for read in command.reads}
    told: list[ReviewEvent] = [
        IndependentReadReceived(participant_id=facts.participant_id, evaluator=command.evaluator, read=read)
        for key, read in now.items()
        if before.get(key) != read
    ]
    told += [
        IndependentReadWithdrawn(participant_id=facts.participant_id, evaluator=command.evaluator, assessment_id=key)
        for key in before
        if key not in now
    ]
    changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    points = sorted({point_of(read) for side in (before, now) for key in changed if (read := side.get(key))})
    review = reduce(evolve, told, review)
    for time_point in points:
        compared = list(_compared(review, time_point, facts))
        review = reduce(evolve, compared, review)
        settled = _settled(review, time_point, facts)
        review = reduce(evolve, settled, review)
        told += [*compared, *settled]
    return told


def _compared(review: Review, time_point: str, facts: ReviewFacts) -> Iterator[ReviewEvent]:
    """Whether the adjudicator is to be asked, asked anew, or no longer."""
    asked, pair = review.of_point(time_point).discordance, review.pair(time_point)
    if pair is None or pair[0].response is pair[1].response:
        if asked is not None:
            yield DiscordanceResolved(participant_id=facts.participant_id, time_point=time_point)
    elif asked is None or (asked.reader_1, asked.reader_2) != pair:
        yield DiscordanceFound(
            participant_id=facts.participant_id,
            time_point=time_point,
            reader_1=pair[0],
            reader_2=pair[1],
            differences=tuple(differences(*pair)),
        )


def differences(one: IndependentRead, other: IndependentRead) -> Iterator[Difference]:
    """In what two readings differ whose responses do; `measurement` where nothing else tells them apart."""
    found = [
        difference
        for difference, differs in (
            (Difference.TARGETS, one.targets != other.targets),
            (Difference.NEW_LESION, one.new_lesion is not other.new_lesion),
            (Difference.NON_TARGET, ("non-target-progression" in (one.rule, other.rule)) and one.rule != other.rule),
            (Difference.DATE, one.assessed_on != other.assessed_on),
            (Difference.AT_A_LIMIT, _is_near_a_limit(one) or _is_near_a_limit(other)),
        )
        if differs
    ]
    yield from found or [Difference.MEASUREMENT]


def _is_near_a_limit(read: IndependentRead) -> bool:
    if read.sum is None:
        return False
    limits = (limit for limit in (read.progression_above, read.response_below) if limit)
    return any(abs(read.sum - limit) * 100 <= limit * NEAR_A_LIMIT_PERCENT for limit in limits)


def _adjudicated(command: AdjudicateResponse, review: Review, facts: ReviewFacts) -> list[ReviewEvent]:
    point = review.of_point(command.time_point)
    if point.discordance is None:
        raise NothingToAdjudicate(
            "the readers do not differ at this time point, or have not both read it; send one that is open"
        )
    sides: dict[Evaluator | None, IndependentRead] = dict(
        zip(READERS, (point.discordance.reader_1, point.discordance.reader_2), strict=True)
    )
    sided = sides.get(command.sides_with)
    if command.response is not None:
        ensure_known(command.response, facts.criteria)
    response = next(filter(None, (command.response, sided and sided.response)))
    decision = ResponseAdjudicated(
        participant_id=facts.participant_id,
        time_point=command.time_point,
        response=response,
        sides_with=command.sides_with,
        reason=command.reason,
    )
    if point.adjudicated == decision:
        return []
    if point.adjudicated is not None:
        raise AlreadyAdjudicated("this was adjudicated on the same readings; it is asked anew once a reading changes")
    return [decision]


def _settled(review: Review, time_point: str, facts: ReviewFacts) -> list[ReviewEvent]:
    """What the review now amounts to at a time point, where that differs from what it last said."""
    before, now = review.of_point(time_point).settled, _amounts_to(review, time_point, facts)
    if before == now:
        return []
    if now is not None:
        return [now]
    key = _settled_id(facts, time_point)
    return [IndependentResponseUnsettled(participant_id=facts.participant_id, time_point=time_point, assessment_id=key)]


def _amounts_to(review: Review, time_point: str, facts: ReviewFacts) -> IndependentResponseSettled | None:
    pair, point = review.pair(time_point), review.of_point(time_point)
    if pair is None:
        return None
    if point.discordance is None:
        return _settling(facts, time_point, _dating(*pair), pair[0].response, SettledBy.AGREEMENT)
    if point.adjudicated is None:
        return None
    sided = dict(zip(READERS, pair, strict=True)).get(point.adjudicated.sides_with or Evaluator.INVESTIGATOR)
    return _settling(facts, time_point, sided or _dating(*pair), point.adjudicated.response, SettledBy.ADJUDICATION)


def _dating(one: IndependentRead, other: IndependentRead) -> IndependentRead:
    """The reading by whose date a response counts that is both readers', or neither's."""
    choose = min if Response.PD in (one.response, other.response) else max
    return choose(one, other, key=lambda each: earliest(each.assessed_on))


def _settling(
    facts: ReviewFacts, time_point: str, read: IndependentRead, response: Response, by: SettledBy
) -> IndependentResponseSettled:
    return IndependentResponseSettled(
        participant_id=facts.participant_id,
        time_point=time_point,
        assessment_id=_settled_id(facts, time_point),
        assessed_on=read.assessed_on,
        visit=read.visit,
        criteria=read.criteria,
        response=response,
        by=by,
    )


def _settled_id(facts: ReviewFacts, time_point: str) -> UUID:
    return uuid5(facts.participant_id, f"independent-review {time_point}")


DECIDER: Decider[ReviewCommand, Review, ReviewFacts, ReviewEvent] = Decider(
    category="independent-review", initial=Review(), evolve=evolve, decide=decide
)
