"""How an episode reads: folded from its stream, beside the adverse event that follows it."""

from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.safety.consent_flags import FLAG, Gaps
from services.safety.domain.episodes.record import Course, RetractedCourse
from services.safety.domain.record import OnRecord, Retracted, State
from shared.contracts.safety import Outcome, Seriousness
from shared.contracts.safety_episodes import EpisodeKind, Grades, Observation, ScaleGrade, Treatment
from shared.contracts.terms import Code, Instant, Measurement, ParticipantId, Reason, ShortText, SiteId


class Following(StrEnum):
    """Whether the adverse event says what the episode says."""

    WAITING = "waiting"  # no observation has a CTCAE grade yet
    FOLLOWS = "follows"
    DIFFERS = "differs"  # it was edited by hand, or could not take what the episode says
    RETRACTED = "retracted"


class ObservationOnRecord(BaseModel):
    """One observation, with both grades as they follow from it now."""

    number: int
    observed_at: Instant
    observation: Observation
    grades: Grades


class TreatmentOnRecord(BaseModel):
    number: int
    treatment: Treatment
    given_at: Instant
    dose: Measurement | None
    unit: Code | None


class FollowedBy(BaseModel):
    """The adverse event of the episode."""

    adverse_event_id: UUID
    state: Following
    worst_grade: int | None
    seriousness: tuple[Seriousness, ...]
    confirm_seriousness: bool = Field(
        description="Grade 4 or 5, and not held life-threatening or fatal: no grade makes an event serious, ask"
    )
    problem: str | None = Field(description="Where it differs: the rule that kept it from following")


class Episode(BaseModel):
    """An episode as it stands. Maxima are over the observations that have a grade; null: none has."""

    episode_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    kind: EpisodeKind
    onset: Instant
    became_aware_at: Instant
    developmental_delay: bool | None
    delay_reason: ShortText | None
    worst_astct_grade: ScaleGrade | None
    worst_ctcae_grade: ScaleGrade | None
    ungraded: int = Field(description="How many observations lack a grade of either scale")
    series: tuple[ObservationOnRecord, ...] = Field(description="In order of time")
    treatments: tuple[TreatmentOnRecord, ...]
    ended_at: datetime | None
    outcome: Outcome | None
    adverse_event: FollowedBy
    consent_gaps: Gaps = Field(description=f"Of the onset: {FLAG}")
    retracted: bool
    retraction_reason: Reason | None

    @classmethod
    def of(cls, state: Course | RetractedCourse, followed: State, *, site_id: str, consent_gaps: Gaps) -> Self:
        course = state.was if isinstance(state, RetractedCourse) else state
        opened = course.opened
        return cls(
            episode_id=opened.episode_id,
            participant_id=opened.participant_id,
            site_id=site_id,
            kind=opened.kind,
            onset=opened.onset,
            became_aware_at=opened.became_aware_at,
            developmental_delay=opened.developmental_delay,
            delay_reason=opened.delay_reason,
            worst_astct_grade=course.worst_astct,
            worst_ctcae_grade=course.worst_ctcae,
            ungraded=sum(None in {each.grades.astct, each.grades.ctcae} for each in course.observations),
            series=tuple(ObservationOnRecord.model_validate(each, from_attributes=True) for each in course.series),
            treatments=tuple(
                TreatmentOnRecord.model_validate(each, from_attributes=True) for each in course.treatments
            ),
            ended_at=None if course.ended is None else course.ended.at,
            outcome=None if course.ended is None else course.ended.outcome,
            adverse_event=_followed_by(course, followed),
            consent_gaps=consent_gaps,
            retracted=isinstance(state, RetractedCourse),
            retraction_reason=state.reason if isinstance(state, RetractedCourse) else None,
        )


def _followed_by(course: Course, followed: State) -> FollowedBy:
    record = followed.was if isinstance(followed, Retracted) else followed
    worst = record.worst_grade if isinstance(record, OnRecord) else None
    seriousness = record.seriousness if isinstance(record, OnRecord) else ()
    state = _following(course, followed)
    urgent = {Seriousness.LIFE_THREATENING, Seriousness.DEATH}
    return FollowedBy(
        adverse_event_id=course.opened.adverse_event_id,
        state=state,
        worst_grade=worst,
        seriousness=seriousness,
        confirm_seriousness=(worst or 0) >= 4 and not urgent & set(seriousness),
        problem=course.problem if state is Following.DIFFERS else None,
    )


def _following(course: Course, followed: State) -> Following:
    match followed:
        case OnRecord():
            same = followed.worst_grade == course.worst_ctcae and followed.is_resolved == (course.ended is not None)
            return Following.FOLLOWS if same else Following.DIFFERS
        case Retracted():
            return Following.RETRACTED
        case _:
            return Following.WAITING
