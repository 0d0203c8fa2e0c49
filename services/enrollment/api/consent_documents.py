"""The consent forms of a site: versions, languages, the ethics committee's approval, and whether to consent anew."""

from datetime import date

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.enrollment.api.permissions import ConsentDocumentsDep, MayKeepDocuments, MayReadSites
from services.enrollment.domain.consent_document import (
    ConsentDocumentOnRecord,
    CorrectConsentDocument,
    NoSuchConsentDocument,
    RecordConsentDocument,
    WithdrawConsentDocument,
)
from services.enrollment.domain.facts import InTheFuture
from services.enrollment.domain.site import NoSuchSite
from shared.consent.documents import Document
from shared.contracts.enrollment_terms import ConsentKind, Language
from shared.contracts.terms import SiteId
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as service_router

router = service_router("/v1/sites/{site_id}/consent-documents", "consent documents")


class ConsentDocumentView(BaseModel):
    """One version of a consent form. `required_from`: from then on a consent on an older version is outdated."""

    model_config = ConfigDict(from_attributes=True)

    kind: ConsentKind
    document_version: str
    languages: tuple[Language, ...]
    approved_on: date = Field(description="by the site's ethics committee")
    effective_from: date
    reconsent_required: bool
    grace_days: int
    required_from: date | None


class ConsentDocumentsView(BaseModel):
    """The consent forms of a site, in the order in which they take effect. None of a kind: the protocol's count."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "site_id": "CU",
                    "documents": [
                        {
                            "kind": "guardian",
                            "document_version": "ICF 2.0",
                            "languages": ["th", "en"],
                            "approved_on": "2026-02-10",
                            "effective_from": "2026-03-01",
                            "reconsent_required": True,
                            "grace_days": 60,
                            "required_from": "2026-04-30",
                        }
                    ],
                    "version": 1,
                }
            ]
        }
    )

    site_id: SiteId
    documents: tuple[ConsentDocumentView, ...]
    version: int


@router.get("", summary="The consent forms of a site", responses={**problems.of(NoSuchSite), **answers.VERSIONED})
async def get_consent_documents(
    site_id: SiteId, documents: ConsentDocumentsDep, actor: MayReadSites, response: Response
) -> ConsentDocumentsView:
    """Every version that counts. The ETag is what a change needs as `If-Match`."""
    state, version = await documents.of(site_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return ConsentDocumentsView(site_id=site_id, documents=tuple(map(_view, state.listed)), version=version)


@router.get(
    "/history",
    summary="Who recorded which consent form, when and why",
    responses=problems.of(NoSuchSite, NoSuchConsentDocument),
)
async def get_consent_document_history(
    site_id: SiteId, documents: ConsentDocumentsDep, actor: MayReadSites
) -> list[HistoryEntry]:
    """Every event of the site's consent forms, oldest first."""
    history = await documents.history(site_id, by=actor)
    return answers.history(history, missing=NoSuchConsentDocument("the site has no consent document on record"))


@router.post(
    "",
    status_code=201,
    summary="Put a version of a consent form on record",
    responses={
        **problems.of(NoSuchSite, ConsentDocumentOnRecord, InTheFuture, OtherContentOnRecord),
        **answers.CREATED,
    },
)
async def record_consent_document(
    command: RecordConsentDocument,
    site_id: SiteId,
    documents: ConsentDocumentsDep,
    actor: MayKeepDocuments,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record what the site's ethics committee approved. The same version twice changes nothing.

    From then on the site's consents of this kind are given on its documents alone.
    """
    receipt = await documents.keep(site_id, command, command_id=mint(None), by=actor)
    return answers.created(request, response, receipt, site_id, f"/v1/sites/{site_id}/consent-documents")


_CHANGES = {**problems.of(NoSuchSite, NoSuchConsentDocument, InTheFuture, *VERSION_PROBLEMS), **answers.CHANGED}


@router.post("/correct", summary="Correct a consent form's record", responses=_CHANGES)
async def correct_consent_document(
    command: CorrectConsentDocument,
    site_id: SiteId,
    documents: ConsentDocumentsDep,
    actor: MayKeepDocuments,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Correct languages, dates or grace of one version, named by kind and version. Consents are judged anew by it."""
    receipt = await documents.keep(site_id, command, command_id=mint(None), by=actor, expected=expected)
    return answers.changed(response, receipt, site_id)


@router.post("/withdraw", summary="Take back a consent form entered in error", responses=_CHANGES)
async def withdraw_consent_document(
    command: WithdrawConsentDocument,
    site_id: SiteId,
    documents: ConsentDocumentsDep,
    actor: MayKeepDocuments,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Take back a version that never was one of the site's. Consents on it stay, as on one older than all others."""
    receipt = await documents.keep(site_id, command, command_id=mint(None), by=actor, expected=expected)
    return answers.changed(response, receipt, site_id)


def _view(document: Document) -> ConsentDocumentView:
    return ConsentDocumentView.model_validate(document)
