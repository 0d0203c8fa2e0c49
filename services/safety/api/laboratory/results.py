"""Laboratory results: a laboratory sends a batch, and is answered row by row."""

from typing import Annotated

from fastapi import Response
from pydantic import ConfigDict, Field

from services.safety.api.laboratory.permissions import LabIntakeDep, MaySendResults
from services.safety.api.laboratory.views import BatchAnswer
from services.safety.domain.lab_results.laboratory import NoSuchLaboratory
from services.safety.domain.lab_results.rows import SentRow
from shared.contracts.safety_laboratory import LaboratoryId
from shared.contracts.terms import Flag
from shared.http import problems
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.decider import Command
from shared.kernel.errors import StaleVersion

router = make_router("/v1/lab-results", "Laboratory results")

MOST_ROWS = 1000
POSITION = {"Trial-Position": {"schema": {"type": "string"}, "description": "Of the last participant; none: no result"}}


class LabBatch(Command):
    """Up to 1,000 rows of one laboratory, of any of its site's participants."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "laboratory_id": "CU-CENTRAL",
                    "rows": [
                        {
                            "row_id": "2026-03-15/0007/GPT",
                            "subject_number": "CU-001",
                            "local_code": "GPT",
                            "value": "120",
                            "unit": "U/L",
                            "uln": "40",
                            "collected_at": "2026-03-15T07:30:00+07:00",
                        }
                    ],
                }
            ]
        }
    )

    laboratory_id: LaboratoryId
    dry_run: Flag = Field(False, description="Answer what would become of each row, and record nothing")
    rows: Annotated[tuple[SentRow, ...], Field(max_length=MOST_ROWS)]


@router.post("", responses={**problems.of(NoSuchLaboratory, StaleVersion), 200: {"headers": POSITION}})
async def send_laboratory_results(
    command: LabBatch, intake: LabIntakeDep, actor: MaySendResults, mint: Mint, response: Response
) -> BatchAnswer:
    """Record laboratory results, graded by CTCAE 5.0 on arrival. Each row fares by itself, and none is lost.

    A row that cannot be read is kept in quarantine with the reason. The same row again is `repeated`. With other
    content it is a correction, which says why in `reason`; without one it is a `conflict`, and nothing is done.
    """
    taken = await intake.take(
        command.laboratory_id, command.rows, command, by=actor, command_id=mint(None), dry_run=command.dry_run
    )
    if taken.receipt is not None:
        response.headers["Trial-Position"] = taken.receipt.position
    return BatchAnswer.of(taken.answers, intake.policy, dry_run=command.dry_run)
