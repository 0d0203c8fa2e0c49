"""A calculator of best overall response: it looks at the responses it is given, keeps nothing, is about nobody."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.efficacy.api.permissions import EfficacyDep
from shared.auth.permissions import ReadsTrialData
from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import Day, Flag, PartialDate
from shared.http import problems
from shared.http.service_app import router as make_router
from shared.protocol import Protocol
from shared.response.best_overall import BestResponseRule, best_overall_response
from shared.response.confirmation import ConfirmationRule
from shared.response.readings import NOT_DONE, Best, Given, Reading

router = make_router("/v1/evaluations", "Evaluations")

MOST_RESPONSES = 1000
LONGEST = 3650  # days

T = TypeVar("T")

Days = Annotated[int, Field(strict=True, ge=0, le=LONGEST)]
BY_THE_PROTOCOL = "left out: as the protocol has it"


RESPONSES: tuple[str, ...] = (*Response, NOT_DONE)


def _known(given: object) -> object:
    if given not in RESPONSES:
        raise ValueError(f"one of {', '.join(RESPONSES)}")
    return given


class DatedResponse(BaseModel):
    """The response at one assessment. ND: it was not done. A partial date comes in order of its first day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: PartialDate
    response: Annotated[Given, BeforeValidator(_known)]


class AskedBestResponse(BaseModel):
    """The responses of one participant, in any order, and the rule. What is left out is as the protocol has it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "responses": [
                        {"on": "2026-02-03", "response": "PR"},
                        {"on": "2026-03-05", "response": "CR"},
                        {"on": "2026-04-05", "response": "CR"},
                    ],
                    "reference_date": "2026-01-01",
                    "confirmed": True,
                    "confirm_days": 28,
                    "sd_min_days": 28,
                    "max_ne": 1,
                    "accept_sd": False,
                    "missing_as_ne": False,
                    "first_pd_ends": True,
                }
            ]
        },
    )

    responses: Annotated[tuple[DatedResponse, ...], Field(max_length=MOST_RESPONSES)]
    reference_date: Annotated[Day, Field(description="Usually the infusion's: stable disease counts from it")]
    confirmed: Flag | None = Field(None, description=f"Whether a response needs a confirmation; {BY_THE_PROTOCOL}")
    confirm_days: Days | None = Field(None, description=f"The fewest days until it; {BY_THE_PROTOCOL}")
    sd_min_days: Days | None = Field(
        None, description=f"Stable disease counts from so many days after the reference date on; {BY_THE_PROTOCOL}"
    )
    max_ne: Annotated[int, Field(strict=True, ge=0, le=MOST_RESPONSES)] | None = Field(
        None, description=f"So many NE may come before a confirmation; {BY_THE_PROTOCOL}"
    )
    accept_sd: Flag | None = Field(None, description=f"Whether one SD may, before that of a PR; {BY_THE_PROTOCOL}")
    missing_as_ne: Flag | None = Field(
        None, description=f"Without any response the best is NE, else MISSING; {BY_THE_PROTOCOL}"
    )
    first_pd_ends: Flag | None = Field(
        None, description=f"Nothing after the first PD, or iCPD, counts; {BY_THE_PROTOCOL}"
    )

    def rule(self, protocol: Protocol) -> BestResponseRule:
        response, endpoints = protocol.response, protocol.endpoints
        confirmation = ConfirmationRule(
            _or(self.confirm_days, response.confirmation_minimum_days.value),
            _or(self.max_ne, endpoints.confirmation_maximum_ne.value),
            _or(self.accept_sd, endpoints.confirmation_accepts_sd.value),
        )
        return BestResponseRule(
            confirmation=confirmation if _or(self.confirmed, response.confirmation.value) else None,
            sd_min_days=_or(self.sd_min_days, response.sd_minimum_days.value),
            missing_as_ne=_or(self.missing_as_ne, endpoints.missing_as_ne.value),
            first_pd_ends=_or(self.first_pd_ends, endpoints.first_progression_ends.value),
        )


def _or(asked: T | None, by_the_protocol: T) -> T:
    return by_the_protocol if asked is None else asked


class BestOverallResponse(BaseModel):
    """The best response, and the date of the assessment that gave it. ND: none was done; MISSING: none was given."""

    best: Best
    on: PartialDate | None
    explanation: str


@router.post("/best-response", responses=problems.of())
async def best_response(asked: AskedBestResponse, efficacy: EfficacyDep, _: ReadsTrialData) -> BestOverallResponse:
    """Find the best overall response in dated responses, confirmed or not, and say how it came about.

    By the rules of RECIST 1.1, its responses and those of iRECIST; MR lies between PR and SD. Nothing is recorded.
    """
    readings = [Reading(each.on, each.response) for each in asked.responses]
    found = best_overall_response(readings, asked.reference_date, asked.rule(efficacy.protocol))
    return BestOverallResponse(best=found.best, on=found.on, explanation=found.explanation)
