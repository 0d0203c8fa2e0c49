"""Sites of the trial."""

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict

from services.enrollment.api.permissions import EnrollmentDep, MayOpenSites, MayReadSites
from services.enrollment.domain.site import NoSuchSite, OpenSite, SiteAlreadyOpen
from shared.contracts.terms import SiteId
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.identities import Mint
from shared.http.service_app import router as service_router

router = service_router("/v1/sites", "sites")


class SiteView(BaseModel):
    """A site, and how many participants it has given a number to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "site_id": "CU",
                    "name": "Chulalongkorn",
                    "country": "TH",
                    "time_zone": "Asia/Bangkok",
                    "participants": 9,
                    "version": 10,
                }
            ]
        }
    )

    site_id: SiteId
    name: str
    country: str
    time_zone: str
    participants: int
    version: int


@router.post(
    "",
    status_code=201,
    summary="Open a site",
    responses={**problems.of(NoSuchSite, SiteAlreadyOpen, OtherContentOnRecord), **answers.CREATED},
)
async def open_site(
    command: OpenSite,
    enrollment: EnrollmentDep,
    actor: MayOpenSites,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Open a site of the trial. Opening it again with the same data changes nothing."""
    receipt = await enrollment.open_site(command, command_id=mint(None), by=actor)
    return answers.created(request, response, receipt, command.site_id, f"/v1/sites/{command.site_id}")


@router.get("/{site_id}", summary="One site", responses={**problems.of(NoSuchSite), **answers.VERSIONED})
async def get_site(site_id: SiteId, enrollment: EnrollmentDep, actor: MayReadSites, response: Response) -> SiteView:
    """A site as of now."""
    site, version = await enrollment.site(site_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return SiteView(
        site_id=site.site_id,
        name=site.name,
        country=site.country,
        time_zone=site.time_zone,
        participants=len(site.numbers),
        version=version,
    )


@router.get("/{site_id}/history", summary="Who did what at a site", responses=problems.of(NoSuchSite))
async def get_site_history(site_id: SiteId, enrollment: EnrollmentDep, actor: MayReadSites) -> list[HistoryEntry]:
    """Every event of a site, oldest first: who recorded it, when and why."""
    history = await enrollment.site_history(site_id, by=actor)
    return answers.history(history, missing=NoSuchSite("there is no such site"))
