"""Laboratories: register them, say what their test codes mean, state their reference ranges."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from services.safety.api.laboratory.permissions import LaboratoriesDep, MayKeepLaboratories, MayReadLaboratories
from services.safety.domain.lab_grading.analytes import UnknownAnalyte
from services.safety.domain.lab_grading.facts import UnreadableValue
from services.safety.domain.lab_results.laboratory import (
    AgesContradict,
    Laboratory,
    LaboratoryAlreadyRegistered,
    MappedTwice,
    NoSuchLaboratory,
    UnitNotOfAnalyte,
)
from services.safety.domain.lab_results.laboratory_commands import MapTests, RecordReferenceRanges, RegisterLaboratory
from shared.contracts.safety_laboratory import LaboratoryId, MappedTest, ReferenceRange
from shared.contracts.terms import SiteId
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.errors import TrialError

router: APIRouter = make_router("/v1/laboratories", "Laboratories")

LaboratoryPath = Annotated[LaboratoryId, Path(description="The laboratory's code")]


def _changes(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    return {**problems.of(NoSuchLaboratory, UnknownAnalyte, *VERSION_PROBLEMS, *errors), **answers.CHANGED}


class LaboratoryOnRecord(BaseModel):
    """A laboratory as it stands."""

    laboratory_id: LaboratoryId
    site_id: SiteId
    time_zone: str
    tests: tuple[MappedTest, ...]
    ranges: tuple[ReferenceRange, ...]

    @classmethod
    def of(cls, known: Laboratory) -> Self:
        return cls(
            laboratory_id=known.id,
            site_id=known.site_id,
            time_zone=known.registered.time_zone,
            tests=tuple(MappedTest(code=code, analyte=known.tests[code]) for code in sorted(known.tests)),
            ranges=known.ranges,
        )


@router.post(
    "",
    status_code=201,
    responses={**problems.of(NoSuchLaboratory, LaboratoryAlreadyRegistered, OtherContentOnRecord), **answers.CREATED},
)
async def register_laboratory(
    command: RegisterLaboratory,
    laboratories: LaboratoriesDep,
    actor: MayKeepLaboratories,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Register a laboratory of a site, so that it may send results."""
    receipt = await laboratories.register(command, by=actor, command_id=mint(None))
    path = f"/v1/laboratories/{command.laboratory_id}"
    return answers.created(request, response, receipt, command.laboratory_id, path)


@router.post("/{laboratory_id}/map-tests", responses=_changes(MappedTwice))
async def map_laboratory_tests(
    laboratory_id: LaboratoryPath,
    command: MapTests,
    laboratories: LaboratoriesDep,
    actor: MayKeepLaboratories,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Say what test codes mean. Rows in quarantine for want of a mapping can be released then."""
    receipt = await laboratories.change(laboratory_id, command, by=actor, expected=expected, command_id=mint(None))
    return answers.changed(response, receipt, laboratory_id)


@router.post(
    "/{laboratory_id}/record-reference-ranges", responses=_changes(UnitNotOfAnalyte, AgesContradict, UnreadableValue)
)
async def record_reference_ranges(
    laboratory_id: LaboratoryPath,
    command: RecordReferenceRanges,
    laboratories: LaboratoriesDep,
    actor: MayKeepLaboratories,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """State limits of normal for results that come without their own. Results on record keep the limits they have."""
    receipt = await laboratories.change(laboratory_id, command, by=actor, expected=expected, command_id=mint(None))
    return answers.changed(response, receipt, laboratory_id)


@router.get("/{laboratory_id}", responses={**problems.of(NoSuchLaboratory), **answers.VERSIONED})
async def get_laboratory(
    laboratory_id: LaboratoryPath, laboratories: LaboratoriesDep, actor: MayReadLaboratories, response: Response
) -> LaboratoryOnRecord:
    """One laboratory with its codes and ranges."""
    known, version = await laboratories.laboratory(laboratory_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return LaboratoryOnRecord.of(known)


@router.get("/{laboratory_id}/history", responses=problems.of(NoSuchLaboratory))
async def get_laboratory_history(
    laboratory_id: LaboratoryPath, laboratories: LaboratoriesDep, actor: MayReadLaboratories
) -> list[HistoryEntry]:
    """Who recorded what of a laboratory, and when."""
    return answers.history(await laboratories.history(laboratory_id, by=actor), missing=NoSuchLaboratory())
