"""Feeds: messages of registered sources taken in, answered once, and released from quarantine."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.biomarkers.domain.result_source import (
    DECIDER,
    DiscardMessage,
    MapResultCodes,
    NoSuchResultSource,
    RegisterResultSource,
    ResultSource,
)
from services.biomarkers.intake import hl7_reader, messages
from services.biomarkers.intake.hl7_reader import NotHl7
from services.biomarkers.intake.messages import (
    Kept,
    MessageAlreadySettled,
    MessageFormat,
    MessageState,
    MessageStillUnreadable,
    NoSuchQuarantinedMessage,
    Waiting,
)
from services.biomarkers.intake.observations import SentObservation, taken_codes
from services.biomarkers.intake.readings import ReadingProblem
from services.biomarkers.intake.taking import Fate, Taking
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import Unacceptable
from shared.telemetry import tracing

_UNREGISTERED = "no source is registered under the sender's name at your sites: register it, then release the message"


class UnknownMeasure(Unacceptable):
    """A code can only mean what this service takes."""


class Feeds:
    """What the routes of feeds, sources and quarantine call, and the listener of MLLP."""

    def __init__(self, db: Database, store: EventStore, taking: Taking, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._taking = taking
        self._clock = clock

    async def register(self, command: RegisterResultSource, *, by: Actor, command_id: UUID) -> Receipt:
        if not by.may_see(command.site_id):
            raise NoSuchResultSource("no such site is yours")
        state, _ = await self._store.load(DECIDER, command.source_id)
        if isinstance(state, ResultSource) and not by.may_see(state.site_id):
            raise NoSuchResultSource("no such site is yours")
        frame = tracing.recording(by, at=self._clock(), subject=command.site_id, command_id=command_id)
        receipt = await self._store.execute(DECIDER, command.source_id, command, None, frame)
        await messages.of_site(self._db, command.source_id, command.site_id)
        return receipt

    async def map_codes(
        self, source_id: str, command: MapResultCodes, *, by: Actor, expected: int, command_id: UUID
    ) -> Receipt:
        source, _ = await self.source(source_id, by=by)
        if any(each.measures is not None and each.measures not in _KEYS for each in command.codes):
            raise UnknownMeasure(f"`measures` is null, or one of {', '.join(sorted(_KEYS))}")
        frame = tracing.recording(by, at=self._clock(), subject=source.site_id, command_id=command_id)
        return await self._store.execute(DECIDER, source_id, command, None, frame, expected=expected)

    async def source(self, source_id: str, *, by: Actor) -> tuple[ResultSource, int]:
        state, version = await self._store.load(DECIDER, source_id)
        if not isinstance(state, ResultSource) or not by.may_see(state.site_id):
            raise NoSuchResultSource("no system that sends results has this id, or none at your sites")
        return state, version

    async def take(
        self,
        sent: Sequence[SentObservation],
        source_id: str | None,
        format_: MessageFormat,
        *,
        by: Actor,
        dry_run: bool = False,
        together: bool = False,
    ) -> tuple[tuple[Fate, ...], UUID | None]:
        """Take observations in; what of them cannot be read waits under the id answered, if a source is named.

        `together` records all or nothing.
        """
        source = None if source_id is None else (await self.source(source_id, by=by))[0]
        fates = await self._taking.take(sent, source, by=by, together=together, dry_run=dry_run)
        waiting = _waiting(fates)
        if together or dry_run or source is None or not waiting:
            return fates, None
        digest = messages.digest_of([each.sent for each in waiting])
        kept = self._kept(source.id, source.site_id, format_, None, digest, {}, waiting, by)
        return fates, (await messages.keep(self._db, kept)).message_id

    async def take_hl7(self, content: bytes, *, by: Actor) -> tuple[str, bool]:
        """Take an HL7 v2 message in; its acknowledgement, and whether the message is on record or in quarantine."""
        now = self._clock()
        try:
            message = hl7_reader.read(content)
        except NotHl7 as error:
            return hl7_reader.acknowledgement(hl7_reader.header_of(content), "AR", [("", str(error))], now), False
        header, sent = message.header, message.observations
        state, _ = await self._store.load(DECIDER, header.source_id)
        source = state if isinstance(state, ResultSource) and by.may_see(state.site_id) else None
        known_as = header.control_id
        if source is None and isinstance(state, ResultSource):
            known_as = f"{known_as}\n{by.id}"  # who names another site's sender takes no control id from it
        digest, message_id = messages.digest_of(sent), messages.id_of(header.source_id, MessageFormat.HL7V2, known_as)
        kept = await messages.one(self._db, message_id)
        if kept is None:
            taken = await self._hl7(header, sent, source, digest, now, by)
            kept = await messages.keep(self._db, replace(taken, message_id=message_id))
        if kept.digest != digest:
            why = "another message came under this control id (MSH-10): send each message under its own"
            return hl7_reader.acknowledgement(header, "AR", [("MSH^1^10", why)], now), False
        answer: str = kept.answer["ack"]
        return answer, True

    async def _hl7(
        self,
        header: hl7_reader.Header,
        sent: Sequence[SentObservation],
        source: ResultSource | None,
        digest: str,
        now: datetime,
        by: Actor,
    ) -> Kept:
        if source is not None:
            site, waiting = source.site_id, _waiting(await self._taking.take(sent, source, by=by))
        else:
            site, waiting = None, [Waiting(each, ReadingProblem.UNKNOWN_SOURCE, _UNREGISTERED) for each in sent]
        errors = [(each.sent.place, f"{each.problem.value}: {each.says}") for each in waiting]
        answer = {"ack": hl7_reader.acknowledgement(header, "AE" if waiting else "AA", errors, now)}
        return self._kept(header.source_id, site, MessageFormat.HL7V2, header.control_id, digest, answer, waiting, by)

    async def release(self, message_id: UUID, *, by: Actor) -> tuple[Fate, ...]:
        """Read again what waits of a message; what still cannot be read stays.

        Raises:
            MessageStillUnreadable: nothing of it can be read yet.
        """
        kept = await self.message(message_id, by=by)
        if kept.state is not MessageState.WAITING:
            raise MessageAlreadySettled("nothing of this message waits; if it is to count, let it be sent again")
        fates = await self.again(kept, by=by)
        waiting = _waiting(fates)
        if len(waiting) == len(fates):
            raise MessageStillUnreadable(f"{waiting[0].problem.value}: {waiting[0].says}")
        return fates

    async def again(self, kept: Kept, *, by: Actor) -> tuple[Fate, ...]:
        """Read again what waits of a message, and record what can be read by now."""
        source, _ = await self.source(kept.source_id, by=by)
        fates = await self._taking.take([each.sent for each in kept.waiting], source, by=by)
        waiting = _waiting(fates)
        state = MessageState.WAITING if waiting else MessageState.RELEASED
        await messages.settle(self._db, kept.message_id, state, waiting, at=self._clock(), by=by.id)
        return fates

    async def discard(self, message_id: UUID, command: DiscardMessage, *, by: Actor) -> None:
        """Decide that what waits will not be read. It stays readable in the list."""
        kept = await self.message(message_id, by=by)
        if kept.state is MessageState.DISCARDED and kept.reason == command.reason:
            return
        done = kept.state is MessageState.WAITING and await messages.settle(
            self._db,
            message_id,
            MessageState.DISCARDED,
            kept.waiting,
            at=self._clock(),
            by=by.id,
            reason=command.reason,
        )
        if not done:
            raise MessageAlreadySettled("nothing of this message waits any more")

    async def message(self, message_id: UUID, *, by: Actor) -> Kept:
        kept = await messages.one(self._db, message_id)
        if kept is None or not _may_see(by, kept):
            raise NoSuchQuarantinedMessage("no message in quarantine has this id, or none at your sites")
        return kept

    async def listed(
        self,
        *,
        by: Actor,
        source_id: str | None,
        site: str | None,
        state: MessageState | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Kept]:
        """Messages of the actor's sites; of another site there are none."""
        return await messages.listed(
            self._db, by, source_id=source_id, site=site, state=state, after=after, limit=limit
        )

    def _kept(
        self,
        source_id: str,
        site_id: str | None,
        format_: MessageFormat,
        control_id: str | None,
        digest: str,
        answer: dict[str, str],
        waiting: Sequence[Waiting],
        by: Actor,
    ) -> Kept:
        return Kept(
            message_id=messages.id_of(source_id, format_, control_id or digest),
            source_id=source_id,
            site_id=site_id,
            format=format_,
            control_id=control_id,
            digest=digest,
            answer=dict(answer),
            waiting=tuple(waiting),
            received_at=self._clock(),
            received_by=by.id,
            state=MessageState.WAITING if waiting else MessageState.TAKEN,
        )


TakeHl7 = Callable[[bytes], Awaitable[str]]
_KEYS = frozenset(each.key for each in taken_codes().values())


def _waiting(fates: Sequence[Fate]) -> list[Waiting]:
    return [Waiting(each.sent, each.problem, each.says or "") for each in fates if each.problem is not None]


def _may_see(by: Actor, kept: Kept) -> bool:
    return by.sites is None or (kept.received_by == by.id if kept.site_id is None else by.may_see(kept.site_id))
