"""A calculator of dose escalation: it decides about the counts it is given, keeps nothing, and is about nobody."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.auth.permissions import ReadsTrialData
from shared.contracts.terms import Flag, Measurement
from shared.escalation.designs import DESIGNS, boin
from shared.escalation.designs.standing import (
    CountsContradict,
    Decision,
    LevelCount,
    NotOfThisDesign,
    Parameters,
    standing,
)
from shared.http import problems
from shared.http.service_app import router as make_router
from shared.protocol.escalation import HIGHEST_TARGET, LOWEST_TARGET

router = make_router("/v1/evaluations", "evaluations")

MOST_LEVELS = 20
MOST_PARTICIPANTS = 1000

Level = Annotated[int, Field(strict=True, ge=1, le=MOST_LEVELS)]
Count = Annotated[int, Field(strict=True, ge=0, le=MOST_PARTICIPANTS)]
Number = Annotated[int, Field(strict=True, ge=1, le=MOST_PARTICIPANTS)]


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EscalationParameters(_Given):
    """How the escalation is run. The last four are BOIN's alone."""

    levels: Annotated[Level, Field(description="How many dose levels there are; the lowest is 1")]
    target: Annotated[Measurement, Field(ge=LOWEST_TARGET, le=HIGHEST_TARGET)] | None = Field(
        None, description="The rate of DLT aimed at. BOIN needs it; the tables of the other designs aim at none"
    )
    allow_deescalation: Flag = Field(True, description="false: nobody is treated at a lower level again")
    max_sample_size: Number | None = Field(None, description="In all, those pending included; left out: no limit")
    cohort_size: Number | None = Field(None, description="BOIN decides after whole cohorts; left out: after each one")
    max_per_level: Number | None = Field(None, description="So many are treated at one level; left out: no limit")
    elimination_cutoff: Annotated[Measurement, Field(gt=Decimal("0.5"), lt=1)] | None = Field(
        None, description=f"The probability of a rate above the target that rules a level out; left out: {boin.CUTOFF}"
    )
    extra_safe: Flag | None = Field(
        None, description=f"true: the lowest level is judged by the cutoff less {boin.EXTRA_SAFE_OFFSET}"
    )

    def parameters(self) -> Parameters:
        return Parameters(**self.model_dump())


class LevelCounts(_Given):
    """One dose level. Who is not evaluable for DLT is replaced, and counted nowhere."""

    level: Level
    evaluable: Annotated[Count, Field(description="Finished the window, or had a DLT")]
    dlt: Annotated[Count, Field(description="Of them, those with a dose-limiting toxicity")]
    pending: Count = Field(0, description="Within the window, without a DLT so far")


class AskedEscalation(_Given):
    """A design, and what is known of each level tried. A level between two others is told too, with 0."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "design": "BOIN",
                    "parameters": {"levels": 3, "target": "0.30", "allow_deescalation": True},
                    "current_level": 1,
                    "levels": [{"level": 1, "evaluable": 3, "dlt": 0, "pending": 0}],
                }
            ]
        }
    )

    design: Literal["3+3", "rolling-6", "BOIN"]
    parameters: EscalationParameters
    current_level: Annotated[Level, Field(description="Where the last participant was treated")]
    levels: Annotated[tuple[LevelCounts, ...], Field(min_length=1, max_length=MOST_LEVELS)]


class DecidedEscalation(BaseModel):
    """What the design says. `next_level` null: nobody is treated, or not until windows have closed (`wait`)."""

    model_config = ConfigDict(from_attributes=True)

    decision: Decision
    next_level: int | None = Field(description="Where the next participant is treated")
    mtd: int | None = Field(description="The maximum tolerated dose, once it is declared")
    eliminated_levels: tuple[int, ...] = Field(description="Too toxic, with all above them: never entered again")
    explanation: str


@router.post("/dose-escalation", responses=problems.of(CountsContradict, NotOfThisDesign))
async def evaluate_dose_escalation(asked: AskedEscalation, _: ReadsTrialData) -> DecidedEscalation:
    """Decide by 3+3, the rolling six or BOIN where the next participant is treated. Nothing is recorded.

    The safety committee decides; no design knows of a halt, a stagger or an open window's end.
    """
    counts = [LevelCount(each.level, each.evaluable, each.dlt, each.pending) for each in asked.levels]
    at = standing(asked.parameters.parameters(), asked.current_level, counts)
    return DecidedEscalation.model_validate(DESIGNS[asked.design](at))
