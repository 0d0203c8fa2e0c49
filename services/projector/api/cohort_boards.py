"""The cohort board: levels, slots, windows, decisions, pauses, and the next permitted infusion."""

from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from services.projector.api.answering import Answer, table, tabular
from services.projector.api.asking import AskedDep
from services.projector.api.permissions import MayReadCourses
from services.projector.cohort_boards import CohortBoards
from services.projector.domain.board_lines import (
    CohortBoard,
)
from services.projector.exports import cohort_sheets
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/cohort-board", "Safety")


class BoardSheet(StrEnum):
    """Which part of the answer its CSV holds; JSON holds all."""

    LEVELS = "levels"
    PARTICIPANTS = "participants"
    PAUSES = "pauses"
    OVERRIDES = "overrides"


_SHEETS = {
    BoardSheet.LEVELS: cohort_sheets.levels,
    BoardSheet.PARTICIPANTS: cohort_sheets.participants,
    BoardSheet.PAUSES: cohort_sheets.pauses,
    BoardSheet.OVERRIDES: cohort_sheets.overrides,
}


async def _boards(request: Request) -> CohortBoards:
    boards: CohortBoards = request.app.state.cohort_boards
    return boards


@router.get("", response_model=Answer[CohortBoard], responses=tabular())
async def cohort_board(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    boards: Annotated[CohortBoards, Depends(_boards)],
    sheet: Annotated[BoardSheet, Query(description="CSV alone: which table")] = BoardSheet.LEVELS,
) -> Answer[CohortBoard] | Response:
    """Where the escalation of the dose stands: slots and cohorts by level, and who fills them with which DLT state.

    Beside them pauses, stopping rules, overrides, the last decision and whether its basis has changed, and from when
    on the next participant, and each who waits with a slot, may be infused, or what forbids it. Levels and reasons are
    those of the whole trial, worked out by the rules that enrollment decides by; participants are those of the
    caller's sites. Where `enforced` is false, no infusion is held to it.
    """
    question = asked.by(actor)
    return table(question, await boards.board(question), _SHEETS[sheet], as_csv=csv)
