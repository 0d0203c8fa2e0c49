"""What each site has in hand: participants, visits, what is overdue, and what waits for an answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import Field

from services.projector.domain.figures import Figure
from services.projector.domain.participant_schedule import ParticipantSchedule
from services.projector.domain.site_schedule import due_visits
from shared.contracts.enrollment_terms import ParticipantStatus

AHEAD = timedelta(days=30)  # what is planned for: our choice, no source


@dataclass(frozen=True, slots=True)
class AtSite:
    """What is on record of one site: where participants stand, schedules of those infused, and what waits."""

    statuses: Sequence[ParticipantStatus] = ()
    schedules: Sequence[ParticipantSchedule] = ()
    in_follow_up: int = 0
    quarantined_rows: int = 0
    unacknowledged_alerts: int = 0


class SiteWorkload(Figure):
    """One site. A visit counts once, however many kinds of assessment it asks for."""

    site_id: str
    participants: int
    in_screening: int
    awaiting_infusion: int
    in_follow_up: int = Field(description="Infused, and no end of follow-up on record")
    visits_due: int = Field(description="Whose window is open now")
    visits_in_next_30_days: int = Field(description="Whose window is open now or opens within 30 days")
    overdue_visits: int = Field(description="Whose window has closed with something not on record")
    overdue_assessments: int
    quarantined_laboratory_rows: int
    unacknowledged_alerts: int


def site_workloads(sites: Mapping[str, AtSite]) -> list[SiteWorkload]:
    return [_workload(site_id, sites[site_id]) for site_id in sorted(sites)]


def _workload(site_id: str, at: AtSite) -> SiteWorkload:
    lines = [line for each in at.schedules for line in due_visits([each], until=each.today + AHEAD)]
    today = {each.participant_id: each.today for each in at.schedules}
    overdue = [line for line in lines if line.overdue]
    waiting = [line for line in lines if not line.overdue]
    opened = [line for line in waiting if line.opens_on <= today[line.participant_id]]
    return SiteWorkload(
        site_id=site_id,
        participants=len(at.statuses),
        in_screening=at.statuses.count(ParticipantStatus.SCREENING),
        awaiting_infusion=at.statuses.count(ParticipantStatus.ENROLLED),
        in_follow_up=at.in_follow_up,
        visits_due=_visits((line.subject_number, line.visit) for line in opened),
        visits_in_next_30_days=_visits((line.subject_number, line.visit) for line in waiting),
        overdue_visits=_visits((line.subject_number, line.visit) for line in overdue),
        overdue_assessments=len(overdue),
        quarantined_laboratory_rows=at.quarantined_rows,
        unacknowledged_alerts=at.unacknowledged_alerts,
    )


def _visits(named: Iterable[tuple[str, str]]) -> int:
    return len(set(named))
