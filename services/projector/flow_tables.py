"""Questions about the flow of participants: the screening log, the counts of a CONSORT diagram, sites' workload."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import RowMapping

from services.projector.domain.participant_flow import Enrolled, ParticipantFlow, participant_flow
from services.projector.domain.participant_schedule import ParticipantSchedule, Performed
from services.projector.domain.screening_log import OF_SCREENING, Screening, screening_log
from services.projector.domain.site_workload import AtSite, SiteWorkload, site_workloads
from services.projector.performed import OF_SCHEDULES, performed_of
from services.projector.reading import Found, Question, Reading, Readings
from services.projector.readmodels import alerts, participants, quarantined_rows, timeline
from services.projector.readmodels.participants import ENDINGS
from services.projector.schedule_tables import schedules_of
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.protocol import MeasureId, Protocol
from shared.protocol.schedule import moment_of

ScreeningKey = tuple[str, UUID, int]


def key_of_screening(line: Screening) -> ScreeningKey:
    return line.subject_number, line.participant_id, line.attempt


class FlowTables(Readings):
    """The queries. Each names the read models it is built from."""

    async def screenings(self, question: Question, after: ScreeningKey | None, limit: int) -> Found[list[Screening]]:
        async with self._reading(question, participants.PROJECTION, timeline.PROJECTION) as reading:
            log = await _log(reading)
        return reading.found([line for line in log if after is None or key_of_screening(line) > after][:limit])

    async def participant_flow(self, question: Question) -> Found[ParticipantFlow]:
        async with self._reading(question, *OF_SCHEDULES) as reading:
            log = await _log(reading)
            rows = await participants.everybody(reading.connection, reading.scope)
            performed = await performed_of(reading)
        enrolled = [_enrolled(row) for row in rows if row["enrolled_on"] is not None or row["day_zero"] is not None]
        day_zero = {row["participant_id"]: row for row in rows if row["day_zero"] is not None}
        analysed = _assessed(self.protocol, day_zero, performed)
        return reading.found(participant_flow(self.protocol, log, enrolled, analysed))

    async def workload(self, question: Question) -> Found[list[SiteWorkload]]:
        of = (*OF_SCHEDULES, alerts.PROJECTION, quarantined_rows.PROJECTION)
        async with self._reading(question, *of) as reading:
            rows = await participants.everybody(reading.connection, reading.scope)
            schedules = await schedules_of(reading, self.protocol)
            raised = await alerts.raised(reading.connection, reading.scope)
            waiting = await quarantined_rows.waiting(reading.connection, reading.scope)
        by_site: dict[str, list[ParticipantSchedule]] = defaultdict(list)
        for schedule in schedules:
            by_site[schedule.site_id].append(schedule)
        quarantined = Counter(each["site_id"] for each in waiting)
        alerted = Counter(each["site_id"] for each in raised if each["acknowledged_at"] is None)
        people = [(row["site_id"], _enrolled(row)) for row in rows]
        sites = {
            site_id: AtSite(
                statuses=[who.status for at, who in people if at == site_id],
                schedules=by_site[site_id],
                in_follow_up=sum(at == site_id and who.in_follow_up for at, who in people),
                quarantined_rows=quarantined[site_id],
                unacknowledged_alerts=alerted[site_id],
            )
            for site_id in {at for at, _ in people} | {site for site in quarantined if site is not None}
        }
        return reading.found(site_workloads(sites))


async def _log(reading: Reading) -> list[Screening]:
    people = await participants.numbers(reading.connection, reading.scope)
    return screening_log(people, await timeline.told(reading.connection, OF_SCREENING))


def _enrolled(row: RowMapping) -> Enrolled:
    return Enrolled(
        participant_id=row["participant_id"],
        dose_level=row["dose_level"],
        infused=row["day_zero"] is not None,
        status=ParticipantStatus(row["status"]),
        endings=frozenset(status for status, column in ENDINGS.items() if row[column] is not None),
    )


def _assessed(
    protocol: Protocol, infused: Mapping[UUID, RowMapping], performed: Performed
) -> dict[MeasureId, Collection[UUID]]:
    """Who has something on record after the infusion; adverse events are those of everybody infused."""
    after = defaultdict(set)
    for (who, kind), moments in performed.items():
        if any(moment_of(protocol, at, infused[who]["day_zero"]).after_infusion for at in moments):
            after[kind].add(who)
    return {
        each.id: infused.keys() if each.id is MeasureId.ADVERSE_EVENTS else after[each.assessment]
        for each in protocol.outcome_measures
    }
