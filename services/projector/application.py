"""The trial's queries: each waits for the asker's own write if told so, then reads its read models at one moment.

Outcome tables are computed in a thread: so many rows, or the first import of scipy, would hold up everybody else.
"""

from asyncio import to_thread
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.projector.car_t_samples import of_series, samples_of
from services.projector.cohorts import OF_RESPONSES, assessed_of, cohort_for_response, cohort_for_visits, cohort_of
from services.projector.consent_tables import flagged
from services.projector.domain.car_t_series import Quantity
from services.projector.domain.cohort import Infused
from services.projector.domain.groups import GroupedBy
from services.projector.domain.incidence import (
    AdverseEventIncidence,
    Episode,
    adverse_event_incidence,
    incidence_by_dose_level,
)
from services.projector.domain.persistence import Persistence, PersistenceBy, persistence
from services.projector.domain.response_rate import ResponseRates, response_rates
from services.projector.domain.visit_list import VisitOfParticipant, visits
from services.projector.domain.worklist import Show, Worklist, worklist
from services.projector.performed import OF_VISITS, performed_of
from services.projector.reading import Found, Question, Reading, Readings
from services.projector.readmodels import (
    adverse_events,
    alerts,
    anticancer_therapies,
    case_clocks,
    consents,
    lymphodepletions,
    participants,
    timeline,
    toxicity_episodes,
)
from services.projector.readmodels.participants import ParticipantWithInfusions
from services.projector.readmodels.special_interest import SpecialInterests, special_interests
from shared.contracts.efficacy_terms import Evaluator
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.kernel.errors import Unacceptable
from shared.protocol import Assessment, MeasureId, Protocol
from shared.protocol.schedule import Status, study_day
from shared.response.readings import Best


class IncidenceBy(StrEnum):
    """How the cohort is divided, beside the table of all."""

    DOSE_LEVEL = "dose-level"


class UnknownAgent(Unacceptable):
    """Adverse events are attributed to the protocol's agents."""


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """Which visits to list. None: all."""

    status: Status | None = None
    assessment: Assessment | None = None

    def holds(self, visit: VisitOfParticipant) -> bool:
        return self.status in {None, visit.status} and self.assessment in {None, visit.assessment}


VisitKey = tuple[str, UUID, int]


def key_of_visit(visit: VisitOfParticipant) -> VisitKey:
    return visit.subject_number, visit.participant_id, visit.sequence


class Projector(Readings):
    """The queries. Each names the read models it is built from."""

    async def participants(
        self, question: Question, status: ParticipantStatus | None, after: participants.Key | None, limit: int
    ) -> Found[list[participants.Participant]]:
        async with self._reading(question, participants.PROJECTION) as reading:
            return reading.found(await participants.page(reading.connection, reading.scope, status, after, limit))

    async def participant(self, question: Question) -> Found[ParticipantWithInfusions]:
        """Raises: NoSuchParticipant."""
        of = (participants.PROJECTION, lymphodepletions.PROJECTION, anticancer_therapies.PROJECTION)
        async with self._reading(question, *of) as reading:
            return reading.found(await participants.one(reading.connection, reading.scope))

    async def timeline(
        self, question: Question, after: timeline.Key | None, limit: int
    ) -> Found[list[timeline.TimelineEntry]]:
        """Raises: NoSuchParticipant."""
        async with self._reading(question, participants.PROJECTION, timeline.PROJECTION) as reading:
            who = await participants.one(reading.connection, reading.scope)
            entries = await timeline.of(reading.connection, who.participant_id, self.protocol.zone)
        return reading.found([entry for entry in entries if after is None or timeline.key_of(entry) > after][:limit])

    async def crs_icans_course(self, question: Question) -> Found[list[toxicity_episodes.ToxicityEpisode]]:
        """The episodes of the participant that the question names, with study days where there was an infusion.

        Raises:
            NoSuchParticipant.
        """
        async with self._reading(question, participants.PROJECTION, toxicity_episodes.PROJECTION) as reading:
            who = await participants.one(reading.connection, reading.scope)
            found = await toxicity_episodes.of(reading.connection, who.participant_id)
        if who.day_zero is None:
            return reading.found(found)
        return reading.found([_with_days(self.protocol, episode, who.day_zero) for episode in found])

    async def visits(
        self, question: Question, wanted: VisitFilter, after: VisitKey | None, limit: int
    ) -> Found[list[VisitOfParticipant]]:
        """Of everybody infused, or of the one participant that the question names.

        Raises:
            NoSuchParticipant.
        """
        async with self._reading(question, *OF_VISITS) as reading:
            if reading.scope.participant_id is not None:
                await participants.one(reading.connection, reading.scope)
            every = await self._visits(reading)
        shown = [visit for visit in every if wanted.holds(visit) and (after is None or key_of_visit(visit) > after)]
        return reading.found(shown[:limit])

    async def _visits(self, reading: Reading) -> list[VisitOfParticipant]:
        everybody = await cohort_for_visits(reading, self.protocol)
        return visits(self.protocol, everybody, await performed_of(reading), today=reading.today)

    async def adverse_events(
        self, question: Question, wanted: adverse_events.Filter, after: adverse_events.Key | None, limit: int
    ) -> Found[list[adverse_events.AdverseEvent]]:
        of = (participants.PROJECTION, adverse_events.PROJECTION, consents.PROJECTION)
        async with self._reading(question, *of) as reading:
            found = await adverse_events.page(reading.connection, reading.scope, wanted, after, limit)
            return reading.found(await flagged(reading, self.protocol, found))

    async def sae_worklist(self, question: Question, show: Show) -> Found[Worklist]:
        of = (alerts.PROJECTION, case_clocks.PROJECTION, adverse_events.PROJECTION, participants.PROJECTION)
        async with self._reading(question, *of) as reading:
            raised = await alerts.raised(reading.connection, reading.scope)
            cases = await case_clocks.kept(reading.connection, reading.scope)
        return reading.found(worklist(raised, cases, show, now=reading.now))

    async def adverse_event_incidence(
        self, question: Question, agent: str | None, by: IncidenceBy | None
    ) -> Found[AdverseEventIncidence]:
        """`agent`: to whom an event must be attributed to be `related`; None: the protocol's first, the product.

        Raises:
            NoSuchOutcome, UnknownAgent.
        """
        self._require(MeasureId.ADVERSE_EVENTS)
        related_to = self._agent(agent)
        async with self._reading(question, participants.PROJECTION, adverse_events.PROJECTION) as reading:
            cohort = await cohort_of(reading)
            standing = await adverse_events.that_count(reading.connection, reading.scope)
        episodes = [_episode(event, related_to) for event in standing]
        table = await to_thread(
            adverse_event_incidence, self.protocol, cohort, episodes, related_to=related_to, today=reading.today
        )
        if by is IncidenceBy.DOSE_LEVEL:
            levels = await to_thread(incidence_by_dose_level, self.protocol, cohort, episodes, today=reading.today)
            table = table.model_copy(update={"by_dose_level": levels})
        return reading.found(table)

    async def special_interests(self, question: Question) -> Found[SpecialInterests]:
        of = (participants.PROJECTION, adverse_events.PROJECTION, consents.PROJECTION)
        async with self._reading(question, *of) as reading:
            cohort = await cohort_of(reading)
            counting = await adverse_events.that_count(reading.connection, reading.scope)
            standing = await flagged(reading, self.protocol, counting)
        infused_on = {each.participant_id: each.infused_on(self.protocol) for each in cohort}
        return reading.found(special_interests(self.protocol, infused_on, standing))

    async def response_rate(
        self, question: Question, evaluator: Evaluator, by: GroupedBy | None = None
    ) -> Found[ResponseRates]:
        """Raises: NoSuchOutcome."""
        self._require(MeasureId.RESPONSE_RATE)
        async with self._reading(question, *OF_RESPONSES) as reading:
            _, table = await responses_of(reading, self.protocol, evaluator, by)
        return reading.found(table)

    async def persistence(
        self, question: Question, quantity: Quantity, by: PersistenceBy | None = None
    ) -> Found[Persistence]:
        """Cells or copies in one compartment; `by`: also by group.

        Best responses are those that the investigator read, by the protocol's rule.

        Raises:
            NoSuchOutcome.
        """
        self._require(MeasureId.PERSISTENCE)
        beside = OF_RESPONSES if by is PersistenceBy.BEST_RESPONSE else (participants.PROJECTION,)
        async with self._reading(question, *beside, *of_series(quantity.series)) as reading:
            cohort = await cohort_of(reading)
            best = await best_of(reading, self.protocol) if by is PersistenceBy.BEST_RESPONSE else {}
            given = await participants.given(reading.connection, reading.scope)
            samples = await samples_of(reading, quantity)
        table = await to_thread(
            persistence, self.protocol, cohort, samples, quantity=quantity, infusions=given, by=by, best=best
        )
        return reading.found(table)

    def _agent(self, agent: str | None) -> str:
        agents = self.protocol.causality.agents.value
        if agent is None:
            return agents[0]
        if agent not in agents:
            raise UnknownAgent(f"agent is one of {', '.join(agents)}")
        return agent


async def responses_of(
    reading: Reading, protocol: Protocol, evaluator: Evaluator, by: GroupedBy | None = None
) -> tuple[list[Infused], ResponseRates]:
    """Everybody infused, and their responses as one evaluator read them; `by`: also by group."""
    cohort = await cohort_for_response(reading, protocol)
    assessed = await assessed_of(reading, evaluator)
    return cohort, await to_thread(
        response_rates, protocol, cohort, assessed, evaluator=evaluator.value, today=reading.today, by=by
    )


async def best_of(
    reading: Reading, protocol: Protocol, evaluator: Evaluator = Evaluator.INVESTIGATOR
) -> dict[UUID, Best]:
    """The best overall response of everybody infused, as one evaluator read it, by the protocol's rule."""
    _, rates = await responses_of(reading, protocol, evaluator)
    confirmed = protocol.response.confirmation.value
    return {each.participant_id: each.best_confirmed if confirmed else each.best for each in rates.participants}


def _with_days(
    protocol: Protocol, episode: toxicity_episodes.ToxicityEpisode, day_zero: datetime
) -> toxicity_episodes.ToxicityEpisode:
    series = tuple(
        each.model_copy(update={"day": study_day(protocol, each.observed_at, day_zero)}) for each in episode.series
    )
    return episode.model_copy(update={"onset_day": study_day(protocol, episode.onset, day_zero), "series": series})


def _episode(event: adverse_events.AdverseEvent, agent: str) -> Episode:
    return Episode(
        adverse_event_id=event.adverse_event_id,
        participant_id=event.participant_id,
        soc=event.soc,
        meddra_code=event.meddra_code,
        term=event.term,
        onset=event.onset,
        grades=event.grades,
        serious=event.serious,
        related=any(opinion.agent == agent and opinion.attribution.is_related for opinion in event.causality),
    )
