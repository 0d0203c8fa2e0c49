"""Responses that somebody stated, as a form or an SDTM dataset has them: facts beside what the criteria assign.

A stated response never replaces an assigned one. Where both are of the same set of criteria and differ, the answer
says so; whom to believe is a reader's to say, by an override.
"""

from pydantic import Field

from services.efficacy.domain.assessments import standing
from services.efficacy.domain.burden import EfficacyEvent, Facts, TumourBurden
from services.efficacy.domain.naming import AboutAssessment
from services.efficacy.domain.overrides import ensure_known
from shared.contracts.efficacy import ResponseReported
from shared.contracts.efficacy_terms import Criteria, Response, ResponseOf
from shared.contracts.terms import PartialDate, Reason, earliest
from shared.kernel.errors import Conflict, Unacceptable


class ReportResponse(AboutAssessment):
    """State a response that somebody gave at an assessment, with the set of criteria they gave it by."""

    of: ResponseOf = ResponseOf.OVERALL
    criteria: Criteria
    response: Response
    stated_on: PartialDate | None = Field(None, description="When it was stated, as far as it is known (SDTM RSDTC)")
    reason: Reason | None = Field(None, description="Needed where it corrects what was stated before")


class StatedOtherwise(Conflict):
    """Another response of this kind and set was stated at this assessment; a correction says its reason."""


class StatedInTheFuture(Unacceptable):
    """The response would have been stated after today."""


def report(command: ReportResponse, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    known = standing(burden, command.which)
    before = known.reported.get((command.of, command.criteria))
    if before is not None and (before.response, before.stated_on) == (command.response, command.stated_on):
        return []
    if before is not None and command.reason is None:
        raise StatedOtherwise("another response was stated here by this set of criteria; correct it with a reason")
    if command.stated_on is not None and earliest(command.stated_on) > facts.today:
        raise StatedInTheFuture(f"stated_on lies after today, {facts.today}; send the date on which it was stated")
    for engine in (facts.criteria, *facts.supportive):
        if engine.name == command.criteria and command.of is ResponseOf.OVERALL:
            ensure_known(command.response, engine)
    return [
        ResponseReported(
            participant_id=facts.participant_id,
            assessment_id=command.which,
            evaluator=known.evaluator,
            of=command.of,
            criteria=command.criteria,
            response=command.response,
            stated_on=command.stated_on,
            reason=command.reason,
        )
    ]
