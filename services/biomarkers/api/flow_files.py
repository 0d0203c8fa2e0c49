"""Files of flow cytometry: FCS as cytometers write it, with or without gates, and FlowJo workspaces."""

from asyncio import to_thread
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from services.biomarkers.api.gate_sets import GateSetsDep
from services.biomarkers.api.intake_permissions import FilesDep, MaySend
from services.biomarkers.api.quarantined_messages import ObservationAnswer
from services.biomarkers.api.sent_files import DryRun, Source, about_in, file_body
from services.biomarkers.domain.result_source import NoSuchResultSource
from services.biomarkers.intake import gates
from services.biomarkers.intake.apart import (
    FilesAreBeingRead,
    FileTakesTooMuch,
    FileUnreadable,
    InstrumentsNotInstalled,
)
from services.biomarkers.intake.fcs_file import NotFcs
from services.biomarkers.intake.file_intake import GatedFate
from services.biomarkers.intake.gate_sets import NoSuchGateSet
from services.biomarkers.intake.gates import AboutFlow
from shared.contracts.biomarkers import Gate, GatedPopulation
from shared.contracts.terms import Measurement
from shared.http import problems
from shared.http.service_app import router as make_router
from shared.http.uploads import FileTooLarge, FormUnreadable, received
from shared.kernel.errors import StaleVersion, TrialError, Unacceptable

router: APIRouter = make_router("/v1/result-files", "Result files")

_PLACES = Decimal("0.0001")
_FILE: tuple[type[TrialError], ...] = (
    FormUnreadable,
    FileTooLarge,
    FileUnreadable,
    FileTakesTooMuch,
    NoSuchResultSource,
    StaleVersion,
)
_GATING_ML = "A Gating-ML 2.0 file; its gates are applied, and the result is recorded"


class FcsChannel(BaseModel):
    """One parameter of the cytometer."""

    number: int
    name: str
    stain: str | None
    range: str | None


class GateAnswer(BaseModel):
    """One gate: its events, and their share of what it was set in and of all events acquired."""

    name: str
    parent: str | None
    population: GatedPopulation | None
    events: int
    percent_of_parent: Measurement | None = Field(description="null: no event lies in the parent")
    percent_of_all: Measurement | None

    @classmethod
    def of(cls, gate: Gate, within: int, acquired: int) -> Self:
        shares = {"percent_of_parent": _percent(gate.events, within), "percent_of_all": _percent(gate.events, acquired)}
        told = {name: getattr(gate, name) for name in ("name", "parent", "population", "events")}
        return cls.model_validate({**told, **shares})


class GatedAnswer(BaseModel):
    """The gates of one sample, and what became of the flow result that they make."""

    events: int
    gates: tuple[GateAnswer, ...]
    recorded: ObservationAnswer

    @classmethod
    def of(cls, told: GatedFate) -> Self:
        within = {each.name: each.events for each in told.gates}
        acquired = told.sample.events
        found = [
            GateAnswer.of(each, acquired if each.parent is None else within[each.parent], acquired)
            for each in told.gates
        ]
        return cls(events=acquired, gates=tuple(found), recorded=ObservationAnswer.of(told.fate))


class FcsAnswer(BaseModel):
    """What a list-mode file says of its acquisition, and what its gates hold, if some were sent."""

    version: str
    events: int
    channels: tuple[FcsChannel, ...]
    cytometer: str | None
    acquired_on: str | None
    acquired_from: str | None
    acquired_to: str | None
    has_compensation: bool
    dry_run: bool = False
    gated: GatedAnswer | None = Field(None, description="null: no gates were sent, so nothing was recorded")


class WorkspaceAnswer(BaseModel):
    """What became of the samples of a workspace, in its order."""

    dry_run: bool
    samples: tuple[GatedAnswer, ...]


def _percent(events: int, within: int) -> Decimal | None:
    if not within:
        return None
    return Decimal(format((Decimal(events) / within * 100).quantize(_PLACES).normalize(), "f"))


class GatesTwice(Unacceptable):
    """Gates come with the file, or are a saved set: one of the two."""


@router.post(
    "/fcs",
    openapi_extra=file_body("application/vnd.isac.fcs", AboutFlow, gates=_GATING_ML),
    responses=problems.of(NotFcs, NoSuchGateSet, GatesTwice, InstrumentsNotInstalled, FilesAreBeingRead, *_FILE),
)
async def record_fcs_file(
    files: FilesDep,
    gate_sets: GateSetsDep,
    actor: MaySend,
    request: Request,
    gate_set: Annotated[UUID | None, Query(description="A saved gate set, in place of the part `gates`")] = None,
    source: Source = None,
    dry_run: DryRun = False,
) -> FcsAnswer:
    """Read a cytometer's list-mode file; with gates, apply them and record what they hold as a flow result.

    A truncated or foreign file is refused and stored nowhere. No event is ever stored.
    """
    saved = None if gate_set is None else await gate_sets.one(gate_set, by=actor)
    async with received(request, files.limits.fcs_mib, ["about", "gates"], suffix=".fcs") as upload:
        about, gating_ml = about_in(upload, AboutFlow), upload.beside.get("gates")
        if saved is not None:
            if gating_ml is not None:
                raise GatesTwice("send the part `gates`, or name a saved set: not both")
            gating_ml = saved.gating_ml.encode()
            told = {"populations": {**saved.populations, **about.populations}, "method": about.method or saved.name}
            about = about.model_copy(update=told)
        acquisition = await files.acquisition(upload.path)
        if gating_ml is None:
            return FcsAnswer(**acquisition, dry_run=dry_run)
        sample = await files.gated(upload.path, gating_ml)
    [taken] = await files.take_gated([sample], about, source, by=actor, dry_run=dry_run)
    return FcsAnswer(**acquisition, dry_run=dry_run, gated=GatedAnswer.of(taken))


@router.post(
    "/flowjo",
    openapi_extra=file_body("application/xml", AboutFlow),
    responses=problems.of(*_FILE),
)
async def record_flowjo_workspace(
    files: FilesDep, actor: MaySend, request: Request, source: Source = None, dry_run: DryRun = False
) -> WorkspaceAnswer:
    """Record the counts that FlowJo saved in a workspace (.wsp): a flow result for each sample that is known.

    A sample is known by its name where that is the number on its tube (`F1001.fcs`), or by `about`.
    """
    async with received(request, files.limits.table_mib, ["about"]) as upload:
        about = about_in(upload, AboutFlow)
        samples = await to_thread(gates.workspace, await upload.content())
    told = await files.take_gated(samples, about, source, by=actor, dry_run=dry_run)
    return WorkspaceAnswer(dry_run=dry_run, samples=tuple(map(GatedAnswer.of, told)))
