"""Enrollment's commands and reads: gathers what a decision needs, has it decided, and has it written."""

from dataclasses import replace
from functools import reduce
from uuid import UUID

from services.enrollment import references
from services.enrollment.domain import consent_document, participant, site
from services.enrollment.domain.consent import CorrectConsent, ObtainConsent
from services.enrollment.domain.eligibility import AssessEligibility
from services.enrollment.domain.facts import Facts, NoSuchParticipant, Placement
from services.enrollment.domain.follow_up_contact import RecordFollowUpContact
from services.enrollment.domain.infusion import CorrectInfusion, RecordInfusion
from services.enrollment.domain.life import Participant
from services.enrollment.domain.lymphodepletion import CorrectLymphodepletion, RecordLymphodepletion
from services.enrollment.domain.participant import LaterCommand
from services.enrollment.domain.screening import EnrolParticipant, ScreenParticipant
from services.enrollment.domain.site import AllocateSubjectNumber, NoSuchSite, Open, OpenSite, SiteState
from services.enrollment.domain.transfer import TransferParticipant
from services.enrollment.escalating import Escalating
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt, Write, again_when_stale
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.decider import Recording
from shared.kernel.errors import StaleVersion, Unavailable
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.telemetry import tracing

# What is decided by the consent forms of the site.
ByDocuments = (
    ObtainConsent
    | CorrectConsent
    | AssessEligibility
    | EnrolParticipant
    | RecordInfusion
    | CorrectInfusion
    | RecordLymphodepletion
    | CorrectLymphodepletion
    | RecordFollowUpContact
)

# Of those who screen at one site in the same instant one wins each round, so this many can.
MAX_ATTEMPTS = 32


class SiteBusy(Unavailable):
    """Too many are being screened at this site in the same instant; send the same request again."""


class Enrollment:
    """Who takes part in the trial, and where each participant stands."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self.protocol = protocol
        self.escalating = Escalating(db, store, protocol, clock)

    def facts(self) -> Facts:
        return Facts(self._clock(), self.protocol)

    async def open_site(self, command: OpenSite, *, command_id: UUID, by: Actor) -> Receipt:
        """Open a site. Raises `NoSuchSite` where the actor acts for other sites alone."""
        _refuse_foreign(command.site_id, by)
        recording = tracing.recording(by, at=self._clock(), subject=command.site_id, command_id=command_id)
        return await self._store.execute(site.DECIDER, command.site_id, command, None, recording)

    async def site(self, site_id: str, *, by: Actor) -> tuple[Open, int]:
        _refuse_foreign(site_id, by)
        state, version = await self._store.load(site.DECIDER, site_id)
        if not isinstance(state, Open):
            raise NoSuchSite("there is no such site")
        return state, version

    async def site_history(self, site_id: str, *, by: Actor) -> list[Envelope]:
        _refuse_foreign(site_id, by)
        return await self._store.history(site.DECIDER.stream(site_id))

    async def screen(self, command: ScreenParticipant, *, participant_id: UUID, by: Actor) -> Receipt:
        """Take a person into screening, under the site's next number.

        Number and participant are one append to two streams: both are there, or neither. Whoever loses the race
        for a number decides again on the next one.

        Raises:
            NoSuchSite: no such site is open, or the actor does not act for it.
            AlreadyScreened, SubjectLabelTaken, Unacceptable: see there.
            SiteBusy: others took the next number during every attempt.
        """
        _refuse_foreign(command.site_id, by)
        try:
            return await again_when_stale(lambda: self._screen_once(command, participant_id, by), attempts=MAX_ATTEMPTS)
        except StaleVersion as others:
            raise SiteBusy("too many are being screened at this site at once; send the same request again") from others

    async def _screen_once(self, command: ScreenParticipant, participant_id: UUID, by: Actor) -> Receipt:
        now = self._clock()
        about_participant = tracing.recording(by, at=now, subject=participant_id, command_id=participant_id)
        about_site = tracing.recording(by, at=now, subject=command.site_id, command_id=participant_id)
        stream, fingerprint = participant.DECIDER.stream(participant_id), command.fingerprint()
        earlier = await self._store.earlier_run(stream, about_participant, fingerprint)
        if earlier is not None:
            return earlier
        known, version = await self._store.load(participant.DECIDER, participant_id)
        at_site, site_version = await self._store.load(site.DECIDER, command.site_id)
        allocation = AllocateSubjectNumber(participant_id=participant_id, subject_label=command.subject_label)
        numbered = site.decide(allocation, at_site, None)
        facts = Facts(now, self.protocol, _place(reduce(site.evolve, numbered, at_site), participant_id))
        screened = participant.decide(command, known, facts)
        if not screened:
            return Receipt(stream, version)
        return await self._store.append(
            Write(site.DECIDER.stream(command.site_id), site_version, numbered, about_site, fingerprint),
            Write(stream, version, screened, about_participant, fingerprint),
        )

    async def change(
        self, participant_id: UUID, command: LaterCommand, *, expected: int, command_id: UUID, by: Actor
    ) -> Receipt:
        """Carry out a command on a participant, as last seen at version `expected`."""
        state, _ = await self.participant(participant_id, by=by)
        facts = await self.facts_for(command, state, by)
        recording = tracing.recording(
            by, at=facts.now, subject=participant_id, command_id=command_id, reason=command.stated_reason
        )
        if isinstance(command, EnrolParticipant) and self.escalating.is_enforced:
            return await self._enrol(command, participant_id, facts, recording, expected)
        return await self._store.execute(
            participant.DECIDER, participant_id, command, facts, recording, expected=expected
        )

    async def _enrol(
        self, command: EnrolParticipant, participant_id: UUID, facts: Facts, frame: Recording, expected: int
    ) -> Receipt:
        """Enrol at the dose level that is open, with a slot at it: one append, or none where the last slot is gone."""
        stream, fingerprint = participant.DECIDER.stream(participant_id), command.fingerprint()

        async def decide() -> list[Write]:
            state, version = await self._store.load(participant.DECIDER, participant_id)
            if not participant.decide(command, state, facts):
                return []
            placed, slot = await self.escalating.placed(command, participant_id, frame, fingerprint)
            decided = participant.decide(placed, state, facts)
            return [*slot, Write(stream, version, decided, frame, fingerprint)]

        return await self._store.execute_together(stream, frame, fingerprint, decide, expected=expected)

    async def facts_for(self, command: LaterCommand, of: Participant, by: Actor) -> Facts:
        """What this command is decided on, beside the participant."""
        facts = replace(self.facts(), by=by)
        if isinstance(command, ByDocuments):
            facts = await self.with_forms(facts, of)
        if isinstance(command, TransferParticipant):
            to, _ = await self._store.load(site.DECIDER, command.to_site)
            facts = replace(facts, receiving=to.time_zone if isinstance(to, Open) else None)
        if isinstance(command, EnrolParticipant):
            facts = replace(facts, halting_rules=await self.halting_rules())
        return facts

    async def with_forms(self, facts: Facts, of: Participant) -> Facts:
        """With the consent forms of the sites at which the participant is, and was."""
        of_sites = {
            site_id: (await self._store.load(consent_document.DECIDER, site_id))[0].listed
            for site_id in sorted(set(of.consent.sites))
        }
        return replace(facts, forms=of.consent.forms(of_sites))

    async def halting_rules(self) -> tuple[str, ...]:
        return await references.halting_rules(self._db)

    async def participant(self, participant_id: UUID, *, by: Actor) -> tuple[Participant, int]:
        """A participant as of now, and the version. Another site's participant is as unknown as none at all."""
        state, version = await self._store.load(participant.DECIDER, participant_id)
        if not isinstance(state, Participant) or not by.may_see(state.site_id):
            raise NoSuchParticipant("there is no such participant")
        return state, version

    async def participant_history(self, participant_id: UUID, *, by: Actor) -> list[Envelope]:
        await self.participant(participant_id, by=by)
        return await self._store.history(participant.DECIDER.stream(participant_id))


def _refuse_foreign(site_id: str, by: Actor) -> None:
    if not by.may_see(site_id):
        raise NoSuchSite("there is no such site")


def _place(at_site: SiteState, participant_id: UUID) -> Placement | None:
    """What the site gives to a participant, once it has given a number."""
    if not isinstance(at_site, Open):
        return None
    number = at_site.number_of(participant_id)
    return None if number is None else Placement(participant_id, at_site.time_zone, number)
