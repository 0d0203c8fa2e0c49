"""Safety of the trial as a whole: dose-limiting toxicity by dose level, and what is open about whom."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.projector.api.answering import Answer, table, tabular
from services.projector.api.asking import AskedDep
from services.projector.api.permissions import MayReadCourses
from services.projector.domain.dose_limiting_table import DoseLimitingToxicityTable
from services.projector.domain.reconciliation import SafetyReconciliation
from services.projector.exports import safety_sheets
from services.projector.safety_tables import SafetyTables
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router: APIRouter = _router("/v1", "Safety")


class DltSheet(StrEnum):
    """Which part of the answer its CSV holds; JSON holds all."""

    DOSE_LEVELS = "dose-levels"
    PARTICIPANTS = "participants"
    STOPPING_RULES = "stopping-rules"


_SHEETS = {
    DltSheet.DOSE_LEVELS: safety_sheets.dose_levels,
    DltSheet.PARTICIPANTS: safety_sheets.dosed_participants,
    DltSheet.STOPPING_RULES: safety_sheets.stopping_rules,
}


async def _safety_tables(request: Request) -> SafetyTables:
    tables: SafetyTables = request.app.state.safety_tables
    return tables


SafetyTablesDep = Annotated[SafetyTables, Depends(_safety_tables)]


@router.get("/dose-limiting-toxicity", response_model=Answer[DoseLimitingToxicityTable], responses=tabular())
async def dose_limiting_toxicity(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    tables: SafetyTablesDep,
    sheet: Annotated[DltSheet, Query(description="CSV alone: which table")] = DltSheet.DOSE_LEVELS,
) -> Answer[DoseLimitingToxicityTable] | Response:
    """Who was treated at each dose level, is still in the window, counts, has a DLT, or does not count, and why.

    Behind the table stand the participants with each toxicity that was proposed and what was decided, and the
    stopping rules: fired, reviewed. The rules look at the whole trial; participants are those of the caller's sites.
    """
    question = asked.by(actor)
    return table(question, await tables.dose_limiting_toxicity(question), _SHEETS[sheet], as_csv=csv)


@router.get("/safety-reconciliation", response_model=Answer[SafetyReconciliation], responses=tabular())
async def safety_reconciliation(
    actor: MayReadCourses, asked: AskedDep, csv: WantsCsv, tables: SafetyTablesDep
) -> Answer[SafetyReconciliation] | Response:
    """What is open about the safety of each participant.

    Serious events without a report, rejected reports, retracted events that were reported, clocks that run or were
    missed, alerts nobody has in hand, toxicities to decide, laboratory values that may be an adverse event, and
    episodes that their adverse event did not follow. Who is not listed has nothing open. Beside them: rows of
    laboratories that nobody can read, without what stands in them, and the reports of the trial that recur.
    """
    question = asked.by(actor)
    return table(question, await tables.reconciliation(question), safety_sheets.reconciliation, as_csv=csv)
