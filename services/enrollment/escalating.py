"""The escalation beside enrolment and infusions: who it rests on, and what its stream takes in the same append.

Participants are read from their own streams, so nobody is overlooked whom an earlier append has changed; only what
safety decided is heard. A protocol that enforces no escalation takes nothing beside an enrolment or an infusion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from uuid import UUID

from services.enrollment import references
from services.enrollment.domain import participant
from services.enrollment.domain.cohorts.commands import EscalationCommand, JudgeInfusion, ReserveSlot, RetractJudgement
from services.enrollment.domain.cohorts.escalation import DECIDER, decide
from services.enrollment.domain.cohorts.people import person_of
from services.enrollment.domain.infusion import CorrectInfusion, RecordInfusion, RetractInfusion
from services.enrollment.domain.life import Participant
from services.enrollment.domain.screening import EnrolParticipant
from shared.contracts.enrollment_escalation import EscalationEvent
from shared.db import Database
from shared.escalation.standing import Escalation, Facts, Plan, evolve, halts_of, plan_of
from shared.escalation.toxicity import Toxicity, toxicities_at
from shared.eventstore.store import EventStore, Write
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.decider import Recording
from shared.kernel.errors import Conflict
from shared.protocol import Protocol


class NoEscalationInProtocol(Conflict):
    """This protocol escalates no doses: it has no part `dose_escalation`."""


class LevelOfAnotherSlot(Conflict):
    """The participant has a slot at another dose level, or another one is open: leave dose_level out, or send that."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The trial's escalation as it stands, and what a decision in it may know."""

    state: Escalation
    version: int
    facts: Facts
    participants: Mapping[UUID, Participant]

    def write(self, events: Sequence[EscalationEvent], frame: Recording, fingerprint: str, trial: str) -> Write:
        """All of it is about the trial: one subject keeps the stream in order wherever it is read."""
        return Write(DECIDER.stream(trial), self.version, events, replace(frame, subject=trial), fingerprint)


class Escalating:
    """Gathers what the escalation is decided on."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._protocol = protocol
        self._plan = plan_of(protocol)

    @property
    def trial(self) -> str:
        return self._protocol.protocol_id

    @property
    def plan(self) -> Plan:
        if self._plan is None:
            raise NoEscalationInProtocol("this protocol escalates no doses")
        return self._plan

    @property
    def is_planned(self) -> bool:
        return self._plan is not None

    @property
    def is_enforced(self) -> bool:
        return self._plan is not None and self._plan.enforced

    async def gather(self, by: Actor, *asked_for: UUID, at: datetime | None = None) -> Gathered:
        """Who takes part as they stand now, or as they stood at an instant by what was known of toxicities then.

        The stream first: whatever changes after it was read changes its version too, or is heard of later.
        """
        state, version = await self._store.load(DECIDER, self.trial)
        heard = await references.heard(self._db)
        decided_on = (each.participant_id for decision in state.decisions for each in decision.basis)
        known = {*asked_for, *state.slots, *(who for who, _ in state.judged), *decided_on, *heard.infused}
        loaded = [(await self._store.load(participant.DECIDER, who))[0] for who in sorted(known)]
        people = {each.participant_id: each for each in loaded if isinstance(each, Participant)}
        now = self._clock() if at is None else at
        toxicities = toxicities_at(heard.toxicities, now)
        seen = {
            key: person_of(each, state.slots.get(key), toxicities.get(key, Toxicity()), self._protocol, now)
            for key, each in people.items()
        }
        halts = halts_of((each.rule, each.halts, each.at) for each in heard.halts)
        return Gathered(state, version, Facts(now, self.plan, by, seen, halts), people)

    async def placed(
        self, command: EnrolParticipant, who: UUID, frame: Recording, fingerprint: str
    ) -> tuple[EnrolParticipant, list[Write]]:
        """The enrolment at the level of its slot, and the slot where none was reserved before.

        Raises:
            NoFreeSlot, NoLevelOpen, DosingPausedNow, ParticipantHasLeft, LevelOfAnotherSlot.
        """
        gathered = await self.gather(frame.by, who)
        reserved = decide(ReserveSlot(participant_id=who), gathered.state, gathered.facts)
        level = reduce(evolve, reserved, gathered.state).slots[who]
        if command.dose_level not in (None, level):
            raise LevelOfAnotherSlot(f"the slot is at {level}: leave dose_level out, or send that level")
        placed = command.model_copy(update={"dose_level": level})
        return placed, [gathered.write(reserved, frame, fingerprint, self.trial)] if reserved else []

    async def judged(
        self,
        command: RecordInfusion | CorrectInfusion | RetractInfusion,
        of: Participant,
        given_despite: str | None,
        frame: Recording,
        fingerprint: str,
    ) -> list[Write]:
        """What the gate says of an infusion that is recorded, put right or taken back.

        Raises:
            InfusionNotPermitted: the gate is closed, and nobody says that it was given despite it.
        """
        if not self.is_enforced:
            return []
        at = None if isinstance(command, RetractInfusion) else command.started_at
        gathered = await self.gather(frame.by, of.participant_id, at=at)
        events = decide(_judging(command, of, given_despite), gathered.state, gathered.facts)
        return [gathered.write(events, frame, fingerprint, self.trial)] if events else []


def _judging(
    command: RecordInfusion | CorrectInfusion | RetractInfusion, of: Participant, given_despite: str | None
) -> EscalationCommand:
    who = of.participant_id
    if isinstance(command, RetractInfusion):
        return RetractJudgement(participant_id=who, infusion_number=command.infusion_number)
    corrects = isinstance(command, CorrectInfusion)
    return JudgeInfusion(
        participant_id=who,
        infusion_number=command.infusion_number if isinstance(command, CorrectInfusion) else len(of.infusions) + 1,
        started_at=command.started_at,
        given_despite=given_despite,
        corrects=corrects,
    )
