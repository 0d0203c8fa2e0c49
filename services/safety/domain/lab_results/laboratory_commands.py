"""What is said of a laboratory: that it is there, what its codes mean, its ranges; which rows are not to be read."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.enrollment_terms import Sex
from shared.contracts.safety_laboratory import LaboratoryId, Months
from shared.contracts.terms import Code, Day, KnownTimeZone, Measurement, Reason, SiteId
from shared.kernel.decider import Command

MOST_ENTRIES = 1000


class RegisterLaboratory(Command):
    """Register a laboratory of a site. One that serves several sites is registered once for each."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"laboratory_id": "CU-CENTRAL", "site_id": "CU", "time_zone": "Asia/Bangkok"}]}
    )

    laboratory_id: LaboratoryId
    site_id: SiteId
    time_zone: KnownTimeZone


class TestMapping(BaseModel):
    """What one test code of the laboratory means: an analyte by name or LOINC code, or null where none is graded."""

    __test__ = False
    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Code = Field(description="The laboratory's own code", examples=["GPT"])
    analyte: Annotated[str | None, Field(max_length=200, examples=["ALT"])] = None
    loinc: Annotated[str | None, Field(max_length=20)] = None


class MapTests(Command):
    """Give test codes of the laboratory a meaning. Results on record keep what they were read as."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tests": [{"code": "GPT", "analyte": "ALT"}]}]})

    tests: Annotated[tuple[TestMapping, ...], Field(min_length=1, max_length=MOST_ENTRIES)]


class StatedRange(BaseModel):
    """Limits of normal of one analyte, in one unit, for one sex or all, from an age (included) to one (excluded)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    analyte: Annotated[str, Field(max_length=200, examples=["ALT"])]
    unit: Annotated[str | None, Field(max_length=40, description="Null for a pure number such as INR")] = None
    sex: Sex | None = None
    age_from_months: Months = 0
    age_to_months: Months | None = None
    lln: Measurement | None = None
    uln: Measurement | None = None
    effective_from: Day


class RecordReferenceRanges(Command):
    """State the laboratory's own reference ranges. They hold for specimens taken on or after `effective_from`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ranges": [
                        {
                            "analyte": "ALT",
                            "unit": "U/L",
                            "sex": "F",
                            "age_from_months": 24,
                            "age_to_months": 144,
                            "uln": "30",
                            "effective_from": "2025-01-01",
                        }
                    ]
                }
            ]
        }
    )

    ranges: Annotated[tuple[StatedRange, ...], Field(min_length=1, max_length=MOST_ENTRIES)]


class DiscardRow(Command):
    """Decide that a row in quarantine will not be read."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "A control of the analyser, no patient"}]})

    reason: Reason


LaboratoryCommand = RegisterLaboratory | MapTests | RecordReferenceRanges
