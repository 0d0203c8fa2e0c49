"""Systems that send results: register them, with the zone of their clock, and say what their codes mean."""

from typing import Annotated, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from services.biomarkers.api.intake_permissions import FeedsDep, MayKeepSources
from services.biomarkers.api.permissions import MayRead
from services.biomarkers.domain.result_source import (
    CodeMappedTwice,
    MapResultCodes,
    NoSuchResultSource,
    RegisterResultSource,
    ResultSource,
    ResultSourceAlreadyRegistered,
)
from services.biomarkers.intake.feeds import UnknownMeasure
from shared.contracts.biomarkers_intake import MappedCode, SourceId
from shared.contracts.terms import Code, SiteId
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router

router: APIRouter = make_router("/v1/result-sources", "Feeds")

SourcePath = Annotated[SourceId, Path(description="Sending application and facility, such as LUMILIS@CU")]


class ResultSourceOnRecord(BaseModel):
    """A source as it stands."""

    source_id: SourceId
    site_id: SiteId
    time_zone: str
    platform: Code | None
    codes: tuple[MappedCode, ...]

    @classmethod
    def of(cls, known: ResultSource) -> Self:
        codes = tuple(MappedCode(code=code, measures=known.codes[code]) for code in sorted(known.codes))
        return cls(**known.registered.model_dump(), codes=codes)


@router.post(
    "",
    status_code=201,
    responses={
        **problems.of(NoSuchResultSource, ResultSourceAlreadyRegistered, OtherContentOnRecord),
        **answers.CREATED,
    },
)
async def register_result_source(
    command: RegisterResultSource,
    feeds: FeedsDep,
    actor: MayKeepSources,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Register a system, so that its messages can be read. Those that came before wait in quarantine."""
    receipt = await feeds.register(command, by=actor, command_id=mint(None))
    path = f"/v1/result-sources/{command.source_id}"
    return answers.created(request, response, receipt, command.source_id, path)


@router.post(
    "/{source_id}/map-codes",
    responses={
        **problems.of(NoSuchResultSource, UnknownMeasure, CodeMappedTwice, *VERSION_PROBLEMS),
        **answers.CHANGED,
    },
)
async def map_result_codes(
    source_id: SourcePath,
    command: MapResultCodes,
    feeds: FeedsDep,
    actor: MayKeepSources,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Say what the sender's own codes mean; null: not taken. What waits for want of a mapping can be released then."""
    receipt = await feeds.map_codes(source_id, command, by=actor, expected=expected, command_id=mint(None))
    return answers.changed(response, receipt, source_id)


@router.get("/{source_id}", responses={**problems.of(NoSuchResultSource), **answers.VERSIONED})
async def get_result_source(
    source_id: SourcePath, feeds: FeedsDep, actor: MayRead, response: Response
) -> ResultSourceOnRecord:
    """One source with its codes."""
    known, version = await feeds.source(source_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return ResultSourceOnRecord.of(known)
