"""Questions about the endpoints of efficacy: best overall response, and the time to an event."""

from asyncio import to_thread
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping

from services.projector.cohorts import (
    OF_RESPONSES,
    assessed,
    assessed_of,
    cohort_for_response,
    infused,
    with_new_therapy,
)
from services.projector.domain.best_response_table import BestResponses, best_response_table
from services.projector.domain.criteria_table import ReportedByCriteria, ResponsesByCriteria, responses_by_criteria
from services.projector.domain.response_course import courses
from services.projector.domain.survival_table import Survival, survival_table
from services.projector.domain.time_to_event import Followed, SurvivalEndpoint
from services.projector.performed import contacts
from services.projector.reading import Found, Question, Reading, Readings
from services.projector.readmodels import (
    adverse_events,
    anticancer_therapies,
    cytokine_panels,
    flow_results,
    participants,
    responses,
    timeline,
    transgene_results,
)
from services.projector.readmodels.adverse_events import AdverseEvent
from shared.contracts.biomarkers import FlowSpecimenType
from shared.contracts.efficacy_terms import Evaluator, Response
from shared.contracts.safety import Outcome
from shared.contracts.terms import earliest
from shared.protocol import MeasureId, Protocol
from shared.protocol.schedule import local_date

_OF_SURVIVAL = (
    *OF_RESPONSES,
    adverse_events.PROJECTION,
    flow_results.PROJECTION,
    transgene_results.PROJECTION,
    cytokine_panels.PROJECTION,
    timeline.PROJECTION,
)
_LAST_SEEN = ("off_treatment_on", "lost_on", "withdrawn_on", "completed_on")
FATAL = 5  # the grade of CTCAE


class EfficacyTables(Readings):
    """The queries. Each names the read models it is built from."""

    async def best_response(self, question: Question, evaluator: Evaluator) -> Found[BestResponses]:
        """Raises: NoSuchOutcome."""
        self._require(MeasureId.RESPONSE_RATE)
        async with self._reading(question, *OF_RESPONSES) as reading:
            cohort = await cohort_for_response(reading, self.protocol)
            read = await assessed_of(reading, evaluator)
        table = await to_thread(best_response_table, self.protocol, cohort, read, evaluator=evaluator.value)
        return reading.found(table)

    async def by_criteria(self, question: Question, evaluator: Evaluator) -> Found[ResponsesByCriteria]:
        """Raises: NoSuchOutcome."""
        self._require(MeasureId.RESPONSE_RATE)
        async with self._reading(question, *OF_RESPONSES) as reading:
            cohort = await cohort_for_response(reading, self.protocol)
            read = await assessed_of(reading, evaluator)
            rows = await responses.beside(reading.connection, reading.scope, evaluator)
            said = await responses.stated(reading.connection, reading.scope, evaluator)
        beside: dict[UUID, dict[str, Response | None]] = defaultdict(dict)
        for row in rows:
            beside[row["assessment_id"]][row["criteria"]] = row["response"] and Response(row["response"])
        reported: dict[UUID, list[ReportedByCriteria]] = defaultdict(list)
        for row in said:
            computed = row["computed"] and Response(row["computed"])
            told = ReportedByCriteria.of(row["criteria"], Response(row["response"]), computed)
            reported[row["assessment_id"]].append(told)
        table = await to_thread(
            responses_by_criteria, self.protocol, cohort, read, beside, reported, evaluator=evaluator.value
        )
        return reading.found(table)

    async def survival(
        self, question: Question, endpoint: SurvivalEndpoint, evaluator: Evaluator, confirmed: bool | None
    ) -> Found[Survival]:
        """`confirmed` None: responses need a confirmation where the protocol asks for one.

        Raises:
            NoSuchOutcome.
        """
        self._require(MeasureId.RESPONSE_RATE)
        async with self._reading(question, *_OF_SURVIVAL) as reading:
            followed = await _followed(reading, self.protocol, evaluator)
        table = await to_thread(
            survival_table,
            self.protocol,
            endpoint,
            followed,
            evaluator=evaluator.value,
            confirmed=self.protocol.response.confirmation.value if confirmed is None else confirmed,
            today=reading.today,
        )
        return reading.found(table)


async def _followed(reading: Reading, protocol: Protocol, evaluator: Evaluator) -> list[Followed]:
    """Everybody infused, with the death that is on record, and the days on which somebody saw or heard of them."""
    connection, scope = reading.connection, reading.scope
    people = await participants.infused(connection, scope)
    read = await responses.that_count(connection, scope, evaluator)
    events = await adverse_events.that_count(connection, scope)
    begun = await anticancer_therapies.begun(connection)
    reached = await contacts(reading)
    alive: dict[UUID, list[date]] = defaultdict(list)
    for row in people:
        alive[row["participant_id"]] += _seen_at_endings(row, protocol)
        alive[row["participant_id"]] += map(earliest, begun.get(row["participant_id"], ()))
        alive[row["participant_id"]] += (each.on for each in reached.get(row["participant_id"], ()))
    for row in read:
        alive[row["participant_id"]].append(earliest(row["assessed_on"]))
    for event in events:
        alive[event.participant_id] += _told_by(event)
    for specimen in FlowSpecimenType:
        for counted in (flow_results, transgene_results):
            for row in await counted.that_count(connection, scope, specimen):
                alive[row["participant_id"]].append(local_date(protocol, row["collected_at"]))
    for row in await cytokine_panels.that_count(connection, scope):
        alive[row["participant_id"]].append(local_date(protocol, row["collected_at"]))
    deaths = {event.participant_id: died_on for event in events if (died_on := _death(event)) is not None}
    baselines = await responses.with_baseline(connection, scope)
    died = {row["participant_id"]: row["died_on"] or deaths.get(row["participant_id"]) for row in people}
    cohort = [with_new_therapy(infused(row), protocol, begun) for row in people]
    return [
        Followed(
            course=course,
            has_baseline=course.participant.participant_id in baselines,
            died_on=died[course.participant.participant_id],
            alive_on=tuple(alive[course.participant.participant_id]),
        )
        for course in courses(protocol, cohort, assessed(read))
    ]


def _seen_at_endings(row: RowMapping, protocol: Protocol) -> Iterator[date]:
    yield local_date(protocol, row["day_zero"])
    yield from (earliest(row[name]) for name in _LAST_SEEN if row[name] is not None)


def _told_by(event: AdverseEvent) -> Iterator[date]:
    yield from (earliest(on) for on in (event.onset, event.ended_on) if on is not None)
    yield from (earliest(entry.since) for entry in event.grades)


def _death(event: AdverseEvent) -> str | None:
    """The date of a death that only safety knows of: when the event ended fatally, or came to grade 5."""
    if event.outcome is Outcome.FATAL and event.ended_on is not None:
        return event.ended_on
    return next((entry.since for entry in event.grades if entry.grade == FATAL), None)
