"""The commands and questions about products: one stream each, and one for each number of a lot or an apheresis.

What is refused for the sake of identity is recorded as an alert, in an append of its own, before the refusal is
answered: a scan of a wrong bag happened, whatever became of it.
"""

from dataclasses import replace
from functools import reduce
from typing import Any
from uuid import UUID

from services.enrollment.application import Enrollment
from services.enrollment.domain import participant
from services.enrollment.domain.infusion import CorrectInfusion, RecordInfusion, RetractInfusion
from services.enrollment.domain.life import Infusion, Participant, part_of
from services.enrollment.domain.product import alert, infusing, label, product
from services.enrollment.domain.product.alert import AcknowledgeProductAlert, NoSuchProductAlert, RaiseProductAlert
from services.enrollment.domain.product.chain import Chain, State
from services.enrollment.domain.product.commands import (
    CollectLeukapheresis,
    LaterCommand,
    ProductCommand,
    ReceiveAtSite,
    ThawBag,
    VerifyIdentity,
)
from services.enrollment.domain.product.facts import Facts, NoSuchProduct, Owner, ProductRefused
from services.enrollment.domain.product.infusing import (
    APPRAISALS,
    Appraise,
    Asked,
    CorrectGivenInfusion,
    GiveInfusion,
    appraise,
    appraised_anew,
    on_product,
    plain,
    taken_back,
)
from services.enrollment.domain.product.label import AssignLabel, FreeLabel, Label
from shared.contracts.enrollment_product import (
    InfusionAppraised,
    ProductAlertRaised,
    ProductEvent,
)
from shared.contracts.enrollment_product_terms import Infused
from shared.eventstore.store import EventStore, Receipt, Write, again_when_stale
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.decider import Decider, Recording
from shared.kernel.errors import NotFound
from shared.kernel.events import Envelope
from shared.telemetry import tracing

DECIDER = product.DECIDER

_SCANS = (ReceiveAtSite, ThawBag, VerifyIdentity)

InfusionCommand = GiveInfusion | CorrectGivenInfusion | RetractInfusion


class Products:
    """What the routes of products and infusions call. Another site's product does not exist for an actor."""

    def __init__(self, store: EventStore, enrollment: Enrollment, clock: Clock) -> None:
        self._store = store
        self._enrollment = enrollment
        self._clock = clock

    async def begin(self, product_id: UUID, command: CollectLeukapheresis, *, by: Actor) -> Receipt:
        """Record a leukapheresis. Raises `NoSuchParticipant` where nobody of this id is at the actor's sites."""
        who, _ = await self._enrollment.participant(command.participant_id, by=by)
        facts = self._facts(who, by)
        frame = tracing.recording(by, at=facts.now, subject=who.participant_id, command_id=product_id)
        stream, fingerprint = DECIDER.stream(product_id), command.fingerprint()

        async def decide() -> list[Write]:
            return await self._decided(product_id, command, facts, frame)

        return await self._store.execute_together(stream, frame, fingerprint, decide)

    async def go_on(
        self, product_id: UUID, command: LaterCommand, *, by: Actor, expected: int | None, command_id: UUID
    ) -> Receipt:
        """Record the next step of a chain, or put one right, on the version its sender has seen.

        Raises:
            ProductRefused: a scan found what is not this participant's to be given. The alert is on record.
        """
        known, who = await self._known(product_id, by)
        facts = self._facts(who, by)
        frame = tracing.recording(
            by, at=facts.now, subject=who.participant_id, command_id=command_id, reason=command.stated_reason
        )
        stream, fingerprint = DECIDER.stream(product_id), command.fingerprint()

        async def decide() -> list[Write]:
            owner = await self._owner(command.lot) if isinstance(command, _SCANS) else None
            return await self._decided(product_id, command, replace(facts, owner=owner), frame)

        try:
            return await self._store.execute_together(stream, frame, fingerprint, decide, expected=expected)
        except ProductRefused as refused:
            await self._alert(refused, who, known.product_id, frame, fingerprint)
            raise

    async def infuse(
        self, participant_id: UUID, command: InfusionCommand, *, expected: int, command_id: UUID, by: Actor
    ) -> tuple[Receipt, InfusionAppraised | None]:
        """Record, correct or retract an infusion, with what it does to the products that it names: one append.

        Raises:
            ProductRefused: it must not be given, and nobody says that it was. The alert is on record.
            InfusionNotPermitted: the escalation of the dose forbids it, and nobody says that it was given.
        """
        who, _ = await self._enrollment.participant(participant_id, by=by)
        its = _of_participant(command)
        facts = await self._enrollment.facts_for(its, who, by)
        frame = tracing.recording(
            by, at=facts.now, subject=participant_id, command_id=command_id, reason=command.stated_reason
        )
        stream, fingerprint = participant.DECIDER.stream(participant_id), command.fingerprint()

        async def decide() -> list[Write]:
            state, version = await self._store.load(participant.DECIDER, participant_id)
            decided = participant.decide(its, state, facts)
            if not decided:
                return []
            assert isinstance(state, Participant)  # noqa: S101 - else it was refused
            beside = await self._beside(command, state, frame, fingerprint, by)
            beside += await self._enrollment.escalating.judged(its, state, _despite(command), frame, fingerprint)
            return [*beside, Write(stream, version, decided, frame, fingerprint)]

        try:
            receipt = await self._store.execute_together(stream, frame, fingerprint, decide, expected=expected)
            if isinstance(command, CorrectGivenInfusion) and receipt == Receipt(stream, expected):
                # The participant's record stands as it was: it may be that other bags were given.
                await again_when_stale(lambda: self._of_bags(command, participant_id, frame, fingerprint, by))
        except ProductRefused as refused:
            await self._alert(refused, who, None, frame, fingerprint)
            raise
        return receipt, await self._appraisal(participant_id, command, receipt)

    async def _of_bags(
        self, command: CorrectGivenInfusion, participant_id: UUID, frame: Recording, fingerprint: str, by: Actor
    ) -> None:
        who, _ = await self._enrollment.participant(participant_id, by=by)
        writes = await self._beside(command, who, frame, fingerprint, by)
        if writes:
            await self._store.append(*writes)

    async def _beside(
        self, command: InfusionCommand, who: Participant, frame: Recording, fingerprint: str, by: Actor
    ) -> list[Write]:
        """What the products and the appraisal take with an infusion."""
        appraisals, version = await self._store.load(APPRAISALS, who.participant_id)
        facts = self._facts(who, by)
        number = len(who.infusions) + 1 if isinstance(command, GiveInfusion) else command.infusion_number
        earlier = appraisals.get(number)
        if isinstance(command, RetractInfusion):
            asked = Asked(who.infusions[number - 1], number, (), None, who, None)
            appraisal, chain, at = taken_back(asked, facts), None, 0
        else:
            chain, at = await self._product_of(command.lot)
            asked = Asked(command, number, command.bags, command.given_despite, who, chain)
            appraisal = appraise(asked, facts)
        writes = []
        if earlier is not None and earlier.product_id not in {None, appraisal.product_id}:
            before, before_at = await self._store.load(DECIDER, earlier.product_id)
            assert isinstance(before, Chain)  # noqa: S101 - it was there when the infusion was recorded
            writes.append(_write(before, before_at, on_product(before, None, asked), frame, fingerprint))
        if chain is not None:
            writes.append(_write(chain, at, on_product(chain, appraisal, asked), frame, fingerprint))
        told = infusing.decide(Appraise(appraisal=appraisal), appraisals, None)
        writes.append(Write(APPRAISALS.stream(who.participant_id), version, told, frame, fingerprint))
        return [write for write in writes if write.events]

    async def _appraisal(
        self, participant_id: UUID, command: InfusionCommand, receipt: Receipt
    ) -> InfusionAppraised | None:
        """That of the infusion which the command recorded, now or when it was first sent."""
        if isinstance(command, RetractInfusion):
            return None
        history = await self._store.read(receipt.stream)
        then = participant.DECIDER.fold(history[: receipt.version])
        assert isinstance(then, Participant)  # noqa: S101 - it was just changed
        numbered = (
            command.infusion_number
            if isinstance(command, CorrectGivenInfusion)
            else then.infusions.index(part_of(Infusion, command)) + 1
        )
        appraisals, _ = await self._store.load(APPRAISALS, participant_id)
        found = appraisals.get(numbered)
        return None if found is None or infusing.says_nothing(found) else found

    async def acknowledge(
        self, alert_id: UUID, command: AcknowledgeProductAlert, *, by: Actor, command_id: UUID
    ) -> Receipt:
        """Take an alert in hand."""
        state, _ = await self._store.load(alert.DECIDER, alert_id)
        if not isinstance(state, alert.Raised) or not by.may_see(state.site_id):
            raise NoSuchProductAlert("no alert has this id, or none at your sites")
        frame = tracing.recording(by, at=self._clock(), subject=state.participant_id, command_id=command_id)
        return await self._store.execute(alert.DECIDER, alert_id, command, None, frame)

    async def product(self, product_id: UUID, *, by: Actor) -> tuple[Chain, list[Envelope]]:
        """The chain as it stands, and all that happened to it."""
        chain, _ = await self._known(product_id, by)
        return chain, await self._store.history(DECIDER.stream(product_id))

    async def _known(self, product_id: UUID, by: Actor) -> tuple[Chain, Participant]:
        chain, _ = await self._store.load(DECIDER, product_id)
        if not isinstance(chain, Chain):
            raise _unknown()
        try:
            who, _ = await self._enrollment.participant(chain.participant_id, by=by)
        except NotFound as elsewhere:
            raise _unknown() from elsewhere
        return chain, who

    def _facts(self, who: Participant, by: Actor) -> Facts:
        protocol = self._enrollment.protocol
        return Facts(self._clock(), protocol, by, who.site_id, who.subject_number, who.zone)

    async def _owner(self, lot: str) -> Owner | None:
        state, _ = await self._store.load(label.LOTS, label.key_of(lot))
        return next(iter(state.owners), None)

    async def _product_of(self, lot: str | None) -> tuple[Chain | None, int]:
        owner = None if lot is None else await self._owner(lot)
        if owner is None:
            return None, 0
        chain, version = await self._store.load(DECIDER, owner.product_id)
        assert isinstance(chain, Chain)  # noqa: S101 - a lot is taken by a product that there is
        return chain, version

    async def _decided(self, product_id: UUID, command: ProductCommand, facts: Facts, frame: Recording) -> list[Write]:
        """What the product takes of a command, after its labels and the appraisals of infusions that rest on it."""
        state, version = await self._store.load(DECIDER, product_id)
        decided = DECIDER.decide(command, state, facts)
        if not decided:
            return []
        fingerprint = command.fingerprint()
        after = reduce(DECIDER.evolve, decided, state)
        assert isinstance(after, Chain)  # noqa: S101 - something happened to it
        labels = await self._labels(state, after, frame, fingerprint)
        appraisals, taken = await self._anew(after, facts, frame, fingerprint)
        own = Write(DECIDER.stream(product_id), version, [*decided, *taken], frame, fingerprint)
        return [*labels, *appraisals, own]

    async def _anew(
        self, product: Chain, facts: Facts, frame: Recording, fingerprint: str
    ) -> tuple[list[Write], list[ProductEvent]]:
        """What infusions of the product are said of otherwise by its record as it is now."""
        if product.last(Infused) is None:
            return [], []
        who, _ = await self._store.load(participant.DECIDER, product.participant_id)
        assert isinstance(who, Participant)  # noqa: S101 - a product is made for somebody
        appraisals, version = await self._store.load(APPRAISALS, product.participant_id)
        appraised, taken = appraised_anew(product, who, appraisals, facts)
        if not appraised:
            return [], []
        return [Write(APPRAISALS.stream(product.participant_id), version, appraised, frame, fingerprint)], taken

    async def _labels(self, state: State, after: Chain, frame: Recording, fingerprint: str) -> list[Write]:
        before = (state.lot, state.apheresis_id) if isinstance(state, Chain) else (None, None)
        whose: dict[str, Any] = {"product_id": after.product_id, "participant_id": after.participant_id}
        deciders: tuple[Decider[AssignLabel, Label, None, Any], ...] = (label.LOTS, label.APHERESES)
        writes = []
        for decider, was, now in zip(deciders, before, (after.lot, after.apheresis_id), strict=True):
            if was is not None and now is not None and label.key_of(was) == label.key_of(now):
                continue
            changes: list[AssignLabel] = [] if was is None else [FreeLabel(label=was, **whose)]
            changes += [] if now is None else [AssignLabel(label=now, **whose)]
            for change in changes:
                known, version = await self._store.load(decider, label.key_of(change.label))
                told = decider.decide(change, known, None)
                stream = decider.stream(label.key_of(change.label))
                writes.append(Write(stream, version, told, frame, fingerprint))
        return [write for write in writes if write.events]

    async def _alert(
        self, refused: ProductRefused, who: Participant, product_id: UUID | None, frame: Recording, fingerprint: str
    ) -> None:
        """Put on record what was refused, and tell the site of the lot's own participant: one append.

        The command's own id makes it one alert, however often it is sent.
        """
        raised = ProductAlertRaised(
            alert_id=frame.command_id,
            participant_id=who.participant_id,
            site_id=who.site_id,
            product_id=product_id,
            point=refused.scan.point,
            at=refused.scan.at,
            lot=refused.scan.lot,
            bag=refused.scan.bag,
            findings=refused.findings,
        )

        async def decide() -> list[Write]:
            told = [*await self._to_owner(raised), raised]
            writes = [await self._raising(each, frame, fingerprint) for each in told]
            return [write for write in writes if write.events]

        await self._store.execute_together(alert.DECIDER.stream(raised.alert_id), frame, fingerprint, decide)

    async def _to_owner(self, raised: ProductAlertRaised) -> list[ProductAlertRaised]:
        owned, _ = await self._product_of(raised.lot) if alert.concerns_another(raised) else (None, 0)
        if owned is None:
            return []
        owner, _ = await self._store.load(participant.DECIDER, owned.participant_id)
        assert isinstance(owner, Participant)  # noqa: S101 - a product is made for somebody
        return [alert.for_owner(raised, owned, owner.site_id)]

    async def _raising(self, raised: ProductAlertRaised, frame: Recording, fingerprint: str) -> Write:
        state, version = await self._store.load(alert.DECIDER, raised.alert_id)
        decided = alert.DECIDER.decide(RaiseProductAlert(raised=raised), state, None)
        own = replace(frame, subject=str(raised.participant_id))
        return Write(alert.DECIDER.stream(raised.alert_id), version, decided, own, fingerprint)


def _write(chain: Chain, version: int, events: list[ProductEvent], frame: Recording, fingerprint: str) -> Write:
    """On a product's own stream, about its own participant."""
    own = replace(frame, subject=str(chain.participant_id))
    return Write(DECIDER.stream(chain.product_id), version, events, own, fingerprint)


def _of_participant(command: InfusionCommand) -> Any:
    """The part of the command that the participant's own record takes."""
    match command:
        case GiveInfusion():
            return plain(command, RecordInfusion)
        case CorrectGivenInfusion():
            return plain(command, CorrectInfusion)
        case _:
            return command


def _despite(command: InfusionCommand) -> str | None:
    return None if isinstance(command, RetractInfusion) else command.given_despite


def _unknown() -> NoSuchProduct:
    return NoSuchProduct("no product has this id, or none at your sites")
