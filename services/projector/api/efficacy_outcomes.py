"""The endpoints of efficacy: best overall response, and the time to an event, over the caller's sites."""

from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from services.projector.api.answering import Answer, table, tabular
from services.projector.api.asking import AskedDep
from services.projector.api.permissions import MayReadCourses
from services.projector.domain.best_response_table import BestResponses
from services.projector.domain.criteria_table import ResponsesByCriteria
from services.projector.domain.survival_table import Survival
from services.projector.domain.time_to_event import SurvivalEndpoint
from services.projector.efficacy_tables import EfficacyTables
from services.projector.exports import efficacy_sheets
from services.projector.reading import NoSuchOutcome
from shared.contracts.efficacy_terms import Evaluator
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/outcomes", "Outcomes")


class BestResponseSheet(StrEnum):
    """Which part of the answer its CSV holds; JSON holds both."""

    GROUPS = "groups"
    PARTICIPANTS = "participants"


class SurvivalSheet(StrEnum):
    """Which part of the answer its CSV holds; JSON holds all."""

    GROUPS = "groups"
    TIME_POINTS = "time-points"
    CURVE = "curve"
    PARTICIPANTS = "participants"


_OF_BEST = {
    BestResponseSheet.GROUPS: efficacy_sheets.best_responses,
    BestResponseSheet.PARTICIPANTS: efficacy_sheets.best_of_participants,
}
_OF_SURVIVAL = {
    SurvivalSheet.GROUPS: efficacy_sheets.survival,
    SurvivalSheet.TIME_POINTS: efficacy_sheets.survival_at_time_points,
    SurvivalSheet.CURVE: efficacy_sheets.survival_curves,
    SurvivalSheet.PARTICIPANTS: efficacy_sheets.times,
}


async def _efficacy_tables(request: Request) -> EfficacyTables:
    tables: EfficacyTables = request.app.state.efficacy_tables
    return tables


EfficacyTablesDep = Annotated[EfficacyTables, Depends(_efficacy_tables)]
Read = Annotated[Evaluator, Query(description="Whose readings")]


@router.get("/response-by-criteria", response_model=Answer[ResponsesByCriteria], responses=tabular(NoSuchOutcome))
async def responses_by_criteria(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    tables: EfficacyTablesDep,
    evaluator: Read = Evaluator.INVESTIGATOR,
) -> Answer[ResponsesByCriteria] | Response:
    """What every set of criteria makes of the same measurements, and the participants whose category depends on it.

    The deciding set gives the response that counts; the protocol says which others are computed beside it. A set that
    does not cover a tumour says nothing of it. iPR counts as PR here, and iUPD as PD.
    """
    question = asked.by(actor)
    found = await tables.by_criteria(question, evaluator)
    return table(question, found, efficacy_sheets.by_criteria, as_csv=csv)


@router.get("/best-response", response_model=Answer[BestResponses], responses=tabular(NoSuchOutcome))
async def best_responses(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    tables: EfficacyTablesDep,
    evaluator: Read = Evaluator.INVESTIGATOR,
    sheet: Annotated[BestResponseSheet, Query(description="CSV alone: which table")] = BestResponseSheet.GROUPS,
) -> Answer[BestResponses] | Response:
    """Best overall response, unconfirmed and confirmed: rates of response and of disease control, and each participant.

    For all, by dose level and by tumour type, out of those infused and of those who could be evaluated, with exact
    (Clopper-Pearson) and Wilson 95 % intervals. The rules are settings of the protocol (`response`, `endpoints`);
    `POST /efficacy/v1/evaluations/best-response` applies them to any responses.
    """
    question = asked.by(actor)
    return table(question, await tables.best_response(question, evaluator), _OF_BEST[sheet], as_csv=csv)


@router.get("/survival", response_model=Answer[Survival], responses=tabular(NoSuchOutcome))
async def survival(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    tables: EfficacyTablesDep,
    endpoint: Annotated[
        SurvivalEndpoint,
        Query(
            description="Progression-free survival (pfs), overall survival (os), duration of response (dor), "
            "time to response (ttr)"
        ),
    ] = SurvivalEndpoint.PROGRESSION_FREE_SURVIVAL,
    evaluator: Read = Evaluator.INVESTIGATOR,
    confirmed: Annotated[
        bool | None,
        Query(description="Whether a response needs a confirmation (dor, ttr); left out: as the protocol has it"),
    ] = None,
    sheet: Annotated[SurvivalSheet, Query(description="CSV alone: which table")] = SurvivalSheet.GROUPS,
) -> Answer[Survival] | Response:
    """The time to an event by Kaplan-Meier, for all, by dose level and by tumour type; and each participant's time.

    Limits on the log-log and on the log scale, the median with its interval (Brookmeyer-Crowley), and the number at
    risk. What ends and what censors a time follows FDA 2018 and the protocol's settings (`endpoints`); each
    participant's line says what it was. `new_anticancer_therapy` says what such a therapy does to `pfs` and `dor`.
    """
    question = asked.by(actor)
    found = await tables.survival(question, endpoint, evaluator, confirmed)
    return table(question, found, _OF_SURVIVAL[sheet], as_csv=csv)
