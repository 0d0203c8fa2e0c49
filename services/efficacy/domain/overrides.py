"""A reader's own judgement beside the response that the criteria assigned. Both stay visible; the reader's counts."""

from services.efficacy.domain.assessments import standing
from services.efficacy.domain.burden import EfficacyEvent, Facts, Override, TumourBurden
from services.efficacy.domain.criteria.readings import CriteriaEngine
from services.efficacy.domain.naming import AboutAssessment
from shared.contracts.efficacy import OverrideWithdrawn, ResponseOverridden
from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import Reason
from shared.kernel.errors import Conflict, Unacceptable


class OverrideResponse(AboutAssessment):
    """Judge an assessment otherwise than the criteria did, in their words. A new override replaces the one before."""

    response: Response
    reason: Reason


class WithdrawOverride(AboutAssessment):
    """Let the assigned response count again."""

    reason: Reason


class NothingToOverride(Conflict):
    """The assessment has no assigned response, as the baseline, or it already has this one."""


class NotAResponseOfTheCriteria(Unacceptable):
    """The set of criteria knows no such response; send one of those it knows, which the problem names."""


def ensure_known(response: Response, criteria: CriteriaEngine) -> None:
    """A response is said in the words of the set that it is of: MR under INRC, iUPD under iRECIST.

    Raises:
        NotAResponseOfTheCriteria: that set knows no such response.
    """
    if response not in criteria.vocabulary:
        known = ", ".join(each for each in Response if each in criteria.vocabulary)
        raise NotAResponseOfTheCriteria(f"the responses of {criteria.name} are: {known}; send one of them")


def override(command: OverrideResponse, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    known = standing(burden, command.which)
    if known.assigned is None:
        raise NothingToOverride("a baseline assessment has no response")
    if known.override == Override(command.response, known.assigned.response, command.reason):
        return []
    if known.assigned.response is command.response:
        raise NothingToOverride("the criteria assign this very response; withdraw an override that says otherwise")
    ensure_known(command.response, facts.criteria)
    return [
        ResponseOverridden(
            participant_id=facts.participant_id,
            assessment_id=command.which,
            evaluator=known.evaluator,
            criteria=known.assigned.criteria,
            assigned=known.assigned.response,
            response=command.response,
            reason=command.reason,
        )
    ]


def withdraw(command: WithdrawOverride, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    known = standing(burden, command.which)
    if known.assigned is None or known.override is None:
        return []
    return [
        OverrideWithdrawn(
            participant_id=facts.participant_id,
            assessment_id=command.which,
            evaluator=known.evaluator,
            criteria=known.assigned.criteria,
            assigned=known.assigned.response,
            reason=command.reason,
        )
    ]
