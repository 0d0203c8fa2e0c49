"""How the independent review reads: by time point, both readings, their difference, and the response that counts."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.efficacy.domain.review import READERS, Review, point_of
from shared.contracts.efficacy_review import Difference, IndependentRead, SettledBy
from shared.contracts.efficacy_terms import Evaluator, Response
from shared.contracts.terms import PartialDate, ParticipantId, Reason, earliest


class AdjudicatedView(BaseModel):
    """The adjudicator's decision between two readings."""

    response: Response
    sides_with: Evaluator | None
    reason: Reason


class TimePointView(BaseModel):
    """One time point. `open`: the readers differ and nobody has decided."""

    time_point: str
    reader_1: IndependentRead | None
    reader_2: IndependentRead | None
    open: bool
    differences: tuple[Difference, ...]
    adjudicated: AdjudicatedView | None
    response: Response | None = Field(description="The one that counts; null as long as there is none")
    assessed_on: PartialDate | None
    by: SettledBy | None


class IndependentReviewView(BaseModel):
    """All time points that a blinded reader has read, in order of time."""

    participant_id: ParticipantId
    time_points: tuple[TimePointView, ...]

    @classmethod
    def of(cls, participant_id: UUID, review: Review) -> Self:
        first: dict[str, IndependentRead] = {}
        for read in (read for reader in READERS for read in review.reads[reader].values()):
            known = first.setdefault(point_of(read), read)
            first[point_of(read)] = min(known, read, key=lambda each: earliest(each.assessed_on))
        ordered = sorted(first, key=lambda name: (earliest(first[name].assessed_on), name))
        return cls(participant_id=participant_id, time_points=tuple(_time_point(review, name) for name in ordered))


def _time_point(review: Review, name: str) -> TimePointView:
    point = review.of_point(name)
    reader_1, reader_2 = (review.reading(reader, name) for reader in READERS)
    decided, settled = point.adjudicated, point.settled
    return TimePointView(
        time_point=name,
        reader_1=reader_1,
        reader_2=reader_2,
        open=point.discordance is not None and decided is None,
        differences=point.discordance.differences if point.discordance else (),
        adjudicated=decided
        and AdjudicatedView(response=decided.response, sides_with=decided.sides_with, reason=decided.reason),
        response=settled and settled.response,
        assessed_on=settled and settled.assessed_on,
        by=settled and settled.by,
    )
