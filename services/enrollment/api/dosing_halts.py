"""What halts dosing, as far as enrollment has heard of it: while something does, nobody is enrolled."""

from pydantic import BaseModel, Field

from services.enrollment.api.permissions import EnrollmentDep, MayReadParticipants
from shared.contracts.terms import Code
from shared.http.service_app import router as service_router

router = service_router("/v1/dosing-halts", "dosing halts")


class DosingHalt(BaseModel):
    """A stopping rule that has fired and is not reviewed so that dosing resumes."""

    rule: Code = Field(description="The rule's id in the protocol")


@router.get("", summary="The stopping rules that halt dosing now")
async def get_dosing_halts(enrollment: EnrollmentDep, _: MayReadParticipants) -> list[DosingHalt]:
    """Empty: dosing goes on. Who counts for a rule is read at `/safety/v1/stopping-rules`."""
    return [DosingHalt(rule=rule) for rule in await enrollment.halting_rules()]
