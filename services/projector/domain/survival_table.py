"""The time to an event as Kaplan-Meier estimates it, with who stands behind it, and by group.

Every group states how many were infused, how many of them could be evaluated for response, how many are in the
analysis, and what ended their times.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.figures import CONFIDENCE_PERCENT, Exact, Figure
from services.projector.domain.groups import Group, GroupedBy, groups
from services.projector.domain.time_to_event import Ending, Followed, SurvivalEndpoint, Timed, timed
from shared.protocol import MeasureId, Protocol
from shared.protocol.endpoints import NewTherapy
from shared.statistics.kaplan_meier import Curve, Limits, LimitsBy, Observation, Step, kaplan_meier

SHOWN = Decimal("0.000001")
CONFIDENCE = float(CONFIDENCE_PERCENT) / 100
OF_RESPONDERS = frozenset({SurvivalEndpoint.DURATION_OF_RESPONSE, SurvivalEndpoint.TIME_TO_RESPONSE})

Probability = Annotated[Exact, Field(description="Of 0 to 1, six decimals", examples=["0.750000"])]
Days = Annotated[Exact, Field(description="Days; half a day where it lies between two", examples=["182"])]


class ProbabilityLimits(Figure):
    """Pointwise 95 % limits."""

    lower: Probability
    upper: Probability


class Estimate(Figure):
    """The probability of being free of the event. Limits are null where the formula has none: at 0 and, log-log, 1."""

    survival: Probability
    log_log: ProbabilityLimits | None
    log: ProbabilityLimits | None


class CurveStep(Estimate):
    """A day on which somebody had the event or was censored; the estimate holds from then on."""

    day: int = Field(description="Days since the time began")
    at_risk: int = Field(description="Followed until just before")
    events: int
    censored: int


class EstimateAtTimePoint(Figure):
    """The estimate at a time point of the protocol. null: nobody was followed so long, and it is not 0."""

    label: str
    day: int
    at_risk: int
    estimate: Estimate | None


class MedianLimits(Figure):
    """95 % interval after Brookmeyer and Crowley. null: not reached."""

    lower: Days | None
    upper: Days | None


class MedianTime(Figure):
    """The day by which half had the event. null: not reached."""

    days: Days | None
    log_log: MedianLimits
    log: MedianLimits


class EndingCount(Figure):
    """How many times ended so."""

    ending: Ending
    n: int


class GroupSurvival(Figure):
    """One group."""

    grouped_by: GroupedBy
    group: str | None = Field(description="null: all, or those of whom it is not known")
    infused: int
    evaluable: int = Field(description="With an assessment after the infusion that could be evaluated")
    n: int = Field(description="In the analysis: everybody infused, or those with a response")
    events: int
    censored: int
    endings: tuple[EndingCount, ...]
    median: MedianTime
    time_points: tuple[EstimateAtTimePoint, ...]
    curve: tuple[CurveStep, ...]


class ParticipantTime(Figure):
    """The time of one participant in the analysis. Days are study days; `event` false: censored."""

    participant_id: UUID
    subject_number: str
    dose_level: str | None
    tumour_type: str | None
    from_day: int
    until_day: int
    days: int
    event: bool
    ending: Ending


class Survival(Figure):
    """One endpoint. `confirmed`: whether responses needed a confirmation; null where the endpoint asks for none."""

    endpoint: SurvivalEndpoint
    criteria: str
    evaluator: str
    confirmed: bool | None
    infused: int
    confidence_percent: Exact
    missed_assessments: int | None = Field(description="So many in a row censor a later event; null: none do")
    new_anticancer_therapy: NewTherapy = Field(description="What it does to pfs and dor, by the protocol's setting")
    groups: tuple[GroupSurvival, ...]
    participants: tuple[ParticipantTime, ...]


def survival_table(
    protocol: Protocol,
    endpoint: SurvivalEndpoint,
    followed: Iterable[Followed],
    *,
    evaluator: str,
    confirmed: bool,
    today: date,
) -> Survival:
    people = {each.course.participant.participant_id: each for each in followed}
    cohort = [each.course.participant for each in people.values()]
    times: dict[UUID, Timed] = {}
    for who, each in people.items():
        found = timed(protocol, endpoint, each, confirmed=confirmed, today=today)
        if found is not None:
            times[who] = found
    return Survival(
        endpoint=endpoint,
        criteria=protocol.response.criteria.value,
        evaluator=evaluator,
        confirmed=confirmed if endpoint in OF_RESPONDERS else None,
        infused=len(people),
        confidence_percent=CONFIDENCE_PERCENT,
        missed_assessments=protocol.endpoints.missed_assessments.value,
        new_anticancer_therapy=protocol.endpoints.new_anticancer_therapy.value,
        groups=tuple(_group(protocol, group, people, times) for group in groups(protocol, cohort)),
        participants=tuple(_participant(people[who].course.participant, found) for who, found in times.items()),
    )


def _group(
    protocol: Protocol, group: Group, people: Mapping[UUID, Followed], times: Mapping[UUID, Timed]
) -> GroupSurvival:
    found = [times[who] for who in group.members if who in times]
    curve = kaplan_meier(Observation(each.days, each.event) for each in found)
    endings = Counter(each.ending for each in found)
    events = sum(each.event for each in found)
    return GroupSurvival(
        grouped_by=group.by,
        group=group.name,
        infused=len(group.members),
        evaluable=sum(people[who].course.is_evaluable for who in group.members),
        n=len(found),
        events=events,
        censored=len(found) - events,
        endings=tuple(EndingCount(ending=ending, n=endings[ending]) for ending in Ending if endings[ending]),
        median=median_time(curve),
        time_points=tuple(estimates_at_time_points(protocol, MeasureId.RESPONSE_RATE, curve)),
        curve=tuple(curve_step(step) for step in curve.steps),
    )


def median_time(curve: Curve) -> MedianTime:
    log_log, log = (curve.median(by, CONFIDENCE) for by in (LimitsBy.LOG_LOG, LimitsBy.LOG))
    return MedianTime(
        days=_days(log.time),
        log_log=MedianLimits(lower=_days(log_log.lower), upper=_days(log_log.upper)),
        log=MedianLimits(lower=_days(log.lower), upper=_days(log.upper)),
    )


def estimates_at_time_points(protocol: Protocol, measure: MeasureId, curve: Curve) -> Iterator[EstimateAtTimePoint]:
    for point in protocol.measure(measure).time_points:
        day = protocol.visit(point.visit).day
        yield EstimateAtTimePoint(
            label=point.label, day=day, at_risk=curve.at_risk(day), estimate=_estimate_at(curve, day)
        )


def _estimate_at(curve: Curve, day: int) -> Estimate | None:
    if not curve.steps or (day > curve.steps[-1].time and curve.steps[-1].survival > 0):
        return None
    step = curve.survival_at(day)
    return _estimate(step) if step is not None else Estimate(survival=_probability(1), log_log=None, log=None)


def _estimate(step: Step) -> Estimate:
    return Estimate(
        survival=_probability(step.survival),
        log_log=_limits(step.limits(LimitsBy.LOG_LOG, CONFIDENCE)),
        log=_limits(step.limits(LimitsBy.LOG, CONFIDENCE)),
    )


def curve_step(step: Step) -> CurveStep:
    return CurveStep(
        day=int(step.time),
        at_risk=step.at_risk,
        events=step.events,
        censored=step.censored,
        **dict(_estimate(step)),
    )


def _limits(limits: Limits | None) -> ProbabilityLimits | None:
    if limits is None:
        return None
    return ProbabilityLimits(lower=_probability(limits.lower), upper=_probability(limits.upper))


def _probability(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(SHOWN)


def _days(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value)).normalize()


def _participant(who: Infused, found: Timed) -> ParticipantTime:
    return ParticipantTime(
        participant_id=who.participant_id,
        subject_number=who.subject_number,
        dose_level=who.dose_level,
        tumour_type=who.tumour_type,
        from_day=found.from_day,
        until_day=found.until_day,
        days=found.days,
        event=found.event,
        ending=found.ending,
    )
