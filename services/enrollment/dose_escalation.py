"""The escalation of the dose: commands and questions about the trial's slots, decisions, pauses and overrides."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from services.enrollment.application import Enrollment
from services.enrollment.domain import participant
from services.enrollment.domain.cohorts.commands import EscalationCommand, ReviewBasis
from services.enrollment.domain.cohorts.escalation import DECIDER
from services.enrollment.domain.dose_level import reassigned
from services.enrollment.domain.infusion import RecordInfusion
from services.enrollment.domain.life import Participant
from services.enrollment.domain.participant import LIFE
from services.enrollment.escalating import Escalating, Gathered
from shared.contracts.enrollment_escalation import DesignSays, SlotReserved
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.escalation.gate import Closed, closed_for, opens, says
from shared.eventstore.store import EventStore, Receipt, Write, again_when_stale
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import StaleVersion, Unavailable
from shared.kernel.events import Envelope
from shared.protocol.dose_limiting_status import midnight
from shared.telemetry import tracing

# A command that names no version is tried so often, eight times each: of those who ask in one instant one wins a time.
ATTEMPTS = 4


class EscalationBusy(Unavailable):
    """Too many ask for slots in the same instant; send the same request again."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether the next infusion of somebody is permitted on a day of the site, which for today begins now.

    `opens_at`: the first instant of that day, or later, at which nothing forbids it; None: that needs a decision.
    """

    participant: Participant
    infusion_number: int
    dose_level: str | None
    on: date
    permitted: bool
    overridden: bool
    closed: tuple[Closed, ...]
    opens_at: datetime | None


class DoseEscalations:
    """What the routes of the escalation call, and its watch. Another site's participant does not exist for an actor."""

    def __init__(self, enrollment: Enrollment, store: EventStore, clock: Clock) -> None:
        self._enrollment = enrollment
        self._store = store
        self._clock = clock

    @property
    def _escalating(self) -> Escalating:
        return self._enrollment.escalating

    @property
    def trial(self) -> str:
        return self._escalating.trial

    @property
    def is_enforced(self) -> bool:
        return self._escalating.is_enforced

    async def standing(self, *, by: Actor) -> tuple[Gathered, DesignSays]:
        """The escalation as it stands, and what the design says of it."""
        gathered = await self._escalating.gather(by)
        return gathered, says(gathered.state, gathered.facts)

    async def history(self, *, by: Actor) -> tuple[list[Envelope], frozenset[UUID]]:
        """What happened, and whom of those it may name the actor may see."""
        life = await self._store.history(DECIDER.stream(self.trial))
        told = await self._store.read(DECIDER.stream(self.trial))
        named: set[UUID] = {event.participant_id for event in told if hasattr(event, "participant_id")}
        gathered = await self._escalating.gather(by, *named)
        return life, frozenset(key for key, each in gathered.facts.people.items() if by.may_see(each.site_id))

    async def carry_out(
        self, command: EscalationCommand, *, by: Actor, command_id: UUID | None = None, expected: int | None = None
    ) -> Receipt:
        """Carry out a command; where its sender has seen a version, on that one alone.

        Raises:
            NoEscalationInProtocol, NoSuchParticipant, TrialError: see the decider.
            EscalationBusy: others wrote first during every attempt.
        """
        self._escalating.plan  # noqa: B018 - raises where the protocol has none
        about = await self._about(command, by)
        frame = tracing.recording(
            by, at=self._clock(), subject=self.trial, command_id=command_id, reason=command.stated_reason
        )
        stream, fingerprint = DECIDER.stream(self.trial), command.fingerprint()

        async def decide() -> list[Write]:
            gathered = await self._escalating.gather(by, *about)
            decided = DECIDER.decide(command, gathered.state, gathered.facts)
            if not decided:
                return []
            own = [write for event in decided if isinstance(event, SlotReserved) for write in await beside(event)]
            return [*own, gathered.write(decided, frame, fingerprint, self.trial)]

        async def beside(reserved: SlotReserved) -> list[Write]:
            """What the record of somebody takes who is enrolled for another level than that of the slot."""
            who = reserved.participant_id
            known, version = await self._store.load(participant.DECIDER, who)
            assert isinstance(known, Participant)  # noqa: S101 - a slot is for somebody who is there
            told = reassigned(known, reserved.dose_level, reserved.protocol)
            its = replace(frame, subject=str(who))
            return [Write(participant.DECIDER.stream(who), version, told, its, fingerprint)] if told else []

        async def attempt() -> Receipt:
            return await self._store.execute_together(stream, frame, fingerprint, decide, expected=expected)

        if expected is not None:
            return await attempt()
        try:
            return await again_when_stale(attempt, attempts=ATTEMPTS)
        except StaleVersion as others:
            raise EscalationBusy("too many ask in the same instant; send the same request again") from others

    async def _about(self, command: EscalationCommand, by: Actor) -> tuple[UUID, ...]:
        participant_id: UUID | None = getattr(command, "participant_id", None)
        if participant_id is None:
            return ()
        await self._enrollment.participant(participant_id, by=by)
        return (participant_id,)

    async def look(self, *, by: Actor) -> None:
        """Compare what the latest decision rests on with what is known now; what differs becomes an event."""
        if self._escalating.is_planned:
            await self.carry_out(ReviewBasis(), by=by)

    async def permit(self, participant_id: UUID, dose_level: str | None, on: date, *, by: Actor) -> Permit:
        """Ask the gate about the participant's next infusion: at this dose level, begun on this day of the site."""
        who, _ = await self._enrollment.participant(participant_id, by=by)
        now, begins, ends = self._clock(), midnight(on, who.zone), midnight(on + timedelta(days=1), who.zone)
        at = now if begins <= now < ends else begins
        gathered = await self._escalating.gather(by, participant_id, at=min(at, now))
        state, facts = gathered.state, gathered.facts
        if dose_level is not None:
            asked = replace(facts.people[participant_id], dose_level=dose_level)
            facts = replace(facts, people={**facts.people, participant_id: asked})
        number = len(who.infusions) + 1
        closed = closed_for(participant_id, number, at, state, facts)
        opens_at = opens(participant_id, number, at, state, facts)
        override = state.overrides.get((participant_id, number))
        overridden = override is not None and override.opens((each.bar for each in closed), max(at, min(ends, now)))
        is_open = overridden or (opens_at is not None and opens_at < ends)
        return Permit(
            participant=who,
            infusion_number=number,
            dose_level=state.level_of(facts.people[participant_id]),
            on=on,
            permitted=is_open and _may_be_infused(who, on),
            overridden=overridden,
            closed=closed,
            opens_at=opens_at,
        )


def _may_be_infused(who: Participant, on: date) -> bool:
    enrolled: frozenset[ParticipantStatus] = LIFE[RecordInfusion]
    return who.status in enrolled and who.enrolment is not None and who.enrolment.enrolled_on <= on
