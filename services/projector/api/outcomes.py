"""The trial's four outcome tables, over the participants of the caller's sites."""

from enum import StrEnum
from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import StringConstraints

from services.projector.api.answering import Answer, table, tabular
from services.projector.api.asking import AskedDep, ProjectorDep
from services.projector.api.cytokine_courses import CytokineTablesDep
from services.projector.api.permissions import MayReadCourses
from services.projector.api.quantities import TabulatedDep
from services.projector.application import IncidenceBy, UnknownAgent
from services.projector.car_t_samples import NoPercentOfCopies
from services.projector.domain.cytokine_levels import CytokineLevels, CytokinesBy
from services.projector.domain.groups import GroupedBy
from services.projector.domain.incidence import AdverseEventIncidence
from services.projector.domain.persistence import Persistence, PersistenceBy
from services.projector.domain.response_rate import ResponseRates
from services.projector.exports import efficacy_sheets, persistence_sheets, sheets
from services.projector.reading import NoSuchOutcome
from shared.contracts.efficacy_terms import Evaluator
from shared.contracts.saying import Says
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/outcomes", "Outcomes")


AgentName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64),
    Says("an agent as the protocol lists it, such as car-t-product"),
]


class SheetName(StrEnum):
    """Which part of an answer its CSV holds; JSON holds both."""

    TIME_POINTS = "time-points"
    PARTICIPANTS = "participants"


class PersistenceSheet(StrEnum):
    """Which part of an answer its CSV holds; JSON holds all."""

    TIME_POINTS = "time-points"
    PARTICIPANTS = "participants"
    KINETICS = "kinetics"
    KINETICS_SUMMARY = "kinetics-summary"
    SUBSETS = "subsets"
    LOSS = "loss"


_OF_PERSISTENCE = {
    PersistenceSheet.TIME_POINTS: persistence_sheets.persistence,
    PersistenceSheet.PARTICIPANTS: persistence_sheets.car_t_courses,
    PersistenceSheet.KINETICS: persistence_sheets.kinetics,
    PersistenceSheet.KINETICS_SUMMARY: persistence_sheets.kinetics_summary,
    PersistenceSheet.SUBSETS: persistence_sheets.subsets,
    PersistenceSheet.LOSS: persistence_sheets.loss,
}

CsvSheet = Annotated[SheetName, Query(alias="sheet", description="CSV alone: the trial's table, or a line per value")]


@router.get(
    "/adverse-events",
    response_model=Answer[AdverseEventIncidence],
    responses=tabular(NoSuchOutcome, UnknownAgent),
)
async def adverse_event_incidence(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    projector: ProjectorDep,
    agent: Annotated[
        AgentName | None,
        Query(
            description="Whose attribution makes an event `related`; left out: the protocol's first agent, the product",
        ),
    ] = None,
    by: Annotated[
        IncidenceBy | None, Query(description="Also among those of each dose level; a CSV then holds these lines")
    ] = None,
) -> Answer[AdverseEventIncidence] | Response:
    """Treatment-emergent adverse events by time point, worst grade, system organ class and term.

    An event counts where it begins after the infusion, and again where it becomes worse than it ever was. At risk are
    those infused and followed into the interval; cumulatively, all who were at risk so far. Retracted events count
    nowhere, corrected ones as corrected.
    """
    question = asked.by(actor)
    found = await projector.adverse_event_incidence(question, agent, by)
    return table(question, found, sheets.adverse_event_incidence, as_csv=csv)


@router.get("/response-rate", response_model=Answer[ResponseRates], responses=tabular(NoSuchOutcome))
async def response_rate(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    projector: ProjectorDep,
    evaluator: Annotated[Evaluator, Query(description="Whose readings")] = Evaluator.INVESTIGATOR,
    by: Annotated[
        Literal[GroupedBy.DOSE_LEVEL, GroupedBy.TUMOUR_TYPE] | None,
        Query(description="Also among those of each group; a CSV of time points then holds these lines"),
    ] = None,
    sheet: CsvSheet = SheetName.TIME_POINTS,
) -> Answer[ResponseRates] | Response:
    """Responses by time point and best overall, with exact (Clopper-Pearson) and Wilson 95 % intervals of the rate.

    An overridden response counts as overridden; what was assigned stays beside it. Nothing after the first progression
    counts. Denominators: `infused` are those infused except who is not yet due; `response-evaluable` those of them
    with a response other than NE.
    """
    question = asked.by(actor)
    found = await projector.response_rate(question, evaluator, by)
    shown = (
        efficacy_sheets.response_rate if sheet is SheetName.TIME_POINTS else efficacy_sheets.responses_of_participants
    )
    return table(question, found, shown, as_csv=csv)


@router.get("/persistence", response_model=Answer[Persistence], responses=tabular(NoSuchOutcome, NoPercentOfCopies))
async def persistence(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    projector: ProjectorDep,
    quantity: TabulatedDep,
    by: Annotated[
        PersistenceBy | None,
        Query(description="Also among those of each group; a CSV but of participants then holds these lines"),
    ] = None,
    sheet: Annotated[PersistenceSheet, Query(description="CSV alone: which table")] = PersistenceSheet.TIME_POINTS,
) -> Answer[Persistence] | Response:
    """CAR-T cells, or transgene copies, by time point, the time to their loss, and each one's course and kinetics.

    A table is of one series in one compartment: counts of cells and copies are never pooled, nor are compartments.
    `kinetics` summarises the participants: median, range and geometric mean of those of whom a parameter is known; who
    is left out is counted by the reason, never as 0 or as a limit.

    Kinetics are non-compartmental, one set per infusion (Cmax, Tmax, Clast, Tlast, AUC, lambda z, half-life); what
    cannot be had is null, with the reason in `missing`. Loss is the protocol's number of visits below the limit, timed
    by Kaplan-Meier; who still has cells is censored.

    `subsets` of a time point are the distribution of the CAR+ cells over CD4, CD8 and memory.

    A value below the limit of quantification ranks below every quantified one and is never 0: a median that falls
    among such values is printed as `<LLOQ`. Median and range are of values observed at scheduled visits.
    """
    question = asked.by(actor)
    found = await projector.persistence(question, quantity, by)
    return table(question, found, _OF_PERSISTENCE[sheet], as_csv=csv)


@router.get("/cytokines", response_model=Answer[CytokineLevels], responses=tabular(NoSuchOutcome))
async def cytokines(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    tables: CytokineTablesDep,
    by: Annotated[
        CytokinesBy | None,
        Query(description="Also among those of each group; a CSV of time points then holds these lines"),
    ] = None,
    sheet: CsvSheet = SheetName.TIME_POINTS,
) -> Answer[CytokineLevels] | Response:
    """Serum cytokines by analyte and time point: levels, fold changes over the baseline, and peaks.

    Values beyond a limit of quantification are counted and keep their place without becoming numbers; `estimates` are
    by Kaplan-Meier. Best responses are the investigator's, by the protocol's rule of confirmation.
    """
    question = asked.by(actor)
    found = await tables.cytokines(question, by)
    shown = sheets.cytokines if sheet is SheetName.TIME_POINTS else sheets.cytokine_peaks
    return table(question, found, shown, as_csv=csv)
