"""Specimens: their custody step by step, and what the protocol plans."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from services.biomarkers.api import specimen_views
from services.biomarkers.api.permissions import MayCorrectCustody, MayRead, MayRecord
from services.biomarkers.api.specimen_views import ParticipantSpecimens, Specimen
from services.biomarkers.domain.specimens.rules import (
    AliquotTwice,
    CustodyWouldNotFollow,
    MoreThanThereWas,
    NoSuchSpecimen,
    NoSuchStep,
    NotMadeOfThis,
    NotThisStep,
    OneStepToCorrect,
    SpecimenAlreadyRecorded,
    SpecimenNeverWas,
    StepCannotBeRetracted,
    StepInFuture,
    StepOutOfTime,
    VisitPlansNone,
)
from services.biomarkers.domain.specimens.specimen import (
    AliquotSpecimen,
    Amendment,
    CollectSpecimen,
    CorrectCustodyStep,
    Next,
    ReceiveSpecimen,
    RecordNotCollected,
    RejectSpecimen,
    ReportSpecimenLost,
    RetractCustodyStep,
    ShipSpecimen,
)
from services.biomarkers.specimens import Specimens
from shared.consent.coverage import ConsentDoesNotCover
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.actor import Actor
from shared.kernel.errors import NoSuchParticipant, TrialError

router: APIRouter = make_router("/v1/specimens", "Specimens")
of_participants: APIRouter = make_router("/v1/participants", "Specimens")

SpecimenId = Annotated[UUID, Path(description="The specimen's id, or a tube's")]

_BEGIN = {
    **problems.of(
        NoSuchParticipant,
        SpecimenAlreadyRecorded,
        OtherContentOnRecord,
        ConsentDoesNotCover,
        StepInFuture,
        VisitPlansNone,
    ),
    **answers.CREATED,
}
_ANY: tuple[type[TrialError], ...] = (NoSuchSpecimen, SpecimenNeverWas, *VERSION_PROBLEMS)
_STEP = {**problems.of(*_ANY, CustodyWouldNotFollow, StepInFuture, StepOutOfTime), **answers.CHANGED}


async def _specimens(request: Request) -> Specimens:
    specimens: Specimens = request.app.state.specimens
    return specimens


SpecimensDep = Annotated[Specimens, Depends(_specimens)]


@dataclass(frozen=True, slots=True)
class Changes:
    """The part that every change has in common: the version its sender has seen, and the id of the command."""

    specimens: Specimens
    expected: int
    command_id: UUID
    response: Response

    async def take(self, specimen_id: UUID, command: Next | Amendment, by: Actor) -> Recorded:
        receipt = await self.specimens.go_on(
            specimen_id, command, by=by, expected=self.expected, command_id=self.command_id
        )
        return answers.changed(self.response, receipt, specimen_id)


async def _changes(specimens: SpecimensDep, expected: IfMatch, mint: Mint, response: Response) -> Changes:
    return Changes(specimens, expected, mint(None), response)


ChangesDep = Annotated[Changes, Depends(_changes)]


@router.post("", status_code=201, responses=_BEGIN)
async def collect_specimen(
    command: CollectSpecimen,
    specimens: SpecimensDep,
    actor: MayRecord,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record that a specimen was taken. What the protocol plans needs no record before: it follows from the visits."""
    specimen_id = mint(command.specimen_id)
    command = command.model_copy(update={"specimen_id": specimen_id})
    receipt = await specimens.begin(specimen_id, command, by=actor)
    return answers.created(request, response, receipt, specimen_id, f"/v1/specimens/{specimen_id}")


@router.post("/not-collected", status_code=201, responses=_BEGIN)
async def record_not_collected(
    command: RecordNotCollected,
    specimens: SpecimensDep,
    actor: MayRecord,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record that a specimen that a visit plans was not taken, and why. It has an id, so that it can be corrected."""
    specimen_id = mint(command.specimen_id)
    command = command.model_copy(update={"specimen_id": specimen_id})
    receipt = await specimens.begin(specimen_id, command, by=actor)
    return answers.created(request, response, receipt, specimen_id, f"/v1/specimens/{specimen_id}")


@router.post("/{specimen_id}/ship", responses=_STEP)
async def ship_specimen(
    specimen_id: SpecimenId, command: ShipSpecimen, actor: MayRecord, changes: ChangesDep
) -> Recorded:
    """The specimen left for a laboratory."""
    return await changes.take(specimen_id, command, actor)


@router.post("/{specimen_id}/receive", responses=_STEP)
async def receive_specimen(
    specimen_id: SpecimenId, command: ReceiveSpecimen, actor: MayRecord, changes: ChangesDep
) -> Recorded:
    """The specimen came to a laboratory, in this condition. One that was lost may turn up so."""
    return await changes.take(specimen_id, command, actor)


@router.post(
    "/{specimen_id}/aliquot",
    responses={
        **problems.of(
            *(*_ANY, CustodyWouldNotFollow, StepInFuture, StepOutOfTime),
            *(NotMadeOfThis, AliquotTwice, MoreThanThereWas, SpecimenAlreadyRecorded),
        ),
        **answers.CHANGED,
    },
)
async def aliquot_specimen(
    specimen_id: SpecimenId, command: AliquotSpecimen, actor: MayRecord, changes: ChangesDep
) -> Recorded:
    """Divide the specimen. Each tube is a specimen from then on, with this one as its parent."""
    return await changes.take(specimen_id, command, actor)


@router.post("/{specimen_id}/reject", responses=_STEP)
async def reject_specimen(
    specimen_id: SpecimenId, command: RejectSpecimen, actor: MayRecord, changes: ChangesDep
) -> Recorded:
    """The specimen cannot be used, nor the tubes made of it. Results on record stay, flagged; none is taken after."""
    return await changes.take(specimen_id, command, actor)


@router.post("/{specimen_id}/report-lost", responses=_STEP)
async def report_specimen_lost(
    specimen_id: SpecimenId, command: ReportSpecimenLost, actor: MayRecord, changes: ChangesDep
) -> Recorded:
    """Nobody knows where the specimen is."""
    return await changes.take(specimen_id, command, actor)


@router.post(
    "/{specimen_id}/correct",
    responses={
        **problems.of(
            *_ANY,
            ConsentDoesNotCover,
            OneStepToCorrect,
            NoSuchStep,
            NotThisStep,
            StepInFuture,
            StepOutOfTime,
            VisitPlansNone,
        ),
        **answers.CHANGED,
    },
)
async def correct_custody_step(
    specimen_id: SpecimenId, command: CorrectCustodyStep, actor: MayCorrectCustody, changes: ChangesDep
) -> Recorded:
    """Put right what was recorded of one step, whole. What stood before stays in the history."""
    return await changes.take(specimen_id, command, actor)


@router.post(
    "/{specimen_id}/retract",
    responses={**problems.of(*_ANY, NoSuchStep, StepCannotBeRetracted), **answers.CHANGED},
)
async def retract_custody_step(
    specimen_id: SpecimenId, command: RetractCustodyStep, actor: MayCorrectCustody, changes: ChangesDep
) -> Recorded:
    """Take back the last step, which never took place; without its first there never was the specimen."""
    return await changes.take(specimen_id, command, actor)


@router.get("/{specimen_id}", responses={**problems.of(NoSuchSpecimen), **answers.VERSIONED})
async def get_specimen(
    specimen_id: SpecimenId, specimens: SpecimensDep, actor: MayRead, response: Response
) -> Specimen:
    """Where the specimen stands, and its custody: every step that stands, when, by whom, and what was put right."""
    state, origin, history = await specimens.specimen(specimen_id, by=actor)
    response.headers["ETag"] = etags.of(len(history))
    return specimen_views.specimen(state, origin, history)


@router.get("/{specimen_id}/history", responses=problems.of(NoSuchSpecimen))
async def get_specimen_history(specimen_id: SpecimenId, specimens: SpecimensDep, actor: MayRead) -> list[HistoryEntry]:
    """Who recorded what, when and why."""
    _, _, history = await specimens.specimen(specimen_id, by=actor)
    return answers.history(history, missing=NoSuchSpecimen("no specimen has this id"))


@of_participants.get("/{participant_id}/specimens", responses=problems.of(NoSuchParticipant))
async def get_specimens_of_participant(
    participant_id: UUID, specimens: SpecimensDep, actor: MayRead
) -> ParticipantSpecimens:
    """What the protocol plans of a participant, what was taken or recorded as missing, and every specimen."""
    participant, found = await specimens.of(participant_id, by=actor)
    return specimen_views.of_participant(participant, found, specimens.protocol)
