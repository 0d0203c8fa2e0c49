"""A reader's own judgement beside the assigned response."""

from dataclasses import replace

import pytest

from services.efficacy.domain.assessments import AssessmentWasRetracted, NoSuchAssessment, RetractAssessment
from services.efficacy.domain.criteria import engines
from services.efficacy.domain.overrides import (
    NotAResponseOfTheCriteria,
    NothingToOverride,
    OverrideResponse,
    WithdrawOverride,
)
from services.efficacy.domain.tumour_burden import DECIDER
from shared.contracts.efficacy import OverrideBasisChanged, OverrideWithdrawn, ResponseAssigned, ResponseOverridden
from shared.contracts.efficacy_terms import Evaluator, Response
from shared.kernel.decider import Command
from shared.kernel.events import Event
from tests.services.efficacy.domain.builders import (
    FACTS,
    PARTICIPANT,
    PROTOCOL,
    a_baseline,
    a_correction,
    a_lesion,
    an_assessment,
    an_id,
)
from tests.specs import Given, Spec

spec = Spec(DECIDER)
MONTH_1 = an_id("month 1")
ABOUT = {"participant_id": PARTICIPANT, "assessment_id": MONTH_1, "evaluator": Evaluator.INVESTIGATOR}


def recorded(*commands: Command) -> Given:
    history: list[Event] = []
    for command in commands:
        history += spec.given(*history).when(command, FACTS).decide()
    return spec.given(*history)


def progressed(*more: Command) -> Given:
    """A baseline of 100 mm and, a month later, 126 mm."""
    return recorded(a_lesion(), a_baseline(), an_assessment(targets="T01=76x50"), *more)


def an_override(response: str = "SD", reason: str = "Pseudoprogression: oedema after infusion") -> OverrideResponse:
    return OverrideResponse(assessment_id=MONTH_1, response=Response(response), reason=reason)


def test_an_override_stands_beside_the_assigned_response() -> None:
    progressed().when(an_override(), FACTS).then(
        ResponseOverridden(
            **ABOUT,
            criteria="SEED_V1",
            assigned=Response.PD,
            response=Response.SD,
            reason="Pseudoprogression: oedema after infusion",
        )
    )
    assessment = progressed(an_override()).state.assessments[MONTH_1]
    assert (assessment.assigned.response, assessment.override.response) == ("PD", "SD")


def test_the_same_override_twice_decides_to_nothing() -> None:
    progressed(an_override()).when(an_override(), FACTS).then_nothing()


def test_another_reason_is_another_override() -> None:
    assert len(progressed(an_override()).when(an_override(reason="Seen with a second reader"), FACTS).decide()) == 1


def test_what_the_criteria_assign_needs_no_override() -> None:
    progressed().when(an_override("PD"), FACTS).then_rejected(NothingToOverride)


def test_a_baseline_has_no_response_to_override() -> None:
    command = OverrideResponse(assessment_id=an_id("baseline"), response=Response.SD, reason="Not so")
    progressed().when(command, FACTS).then_rejected(NothingToOverride)


def test_only_an_assessment_that_counts_can_be_overridden() -> None:
    recorded().when(an_override(), FACTS).then_rejected(NoSuchAssessment)
    retraction = RetractAssessment(assessment_id=MONTH_1, reason="Another child's images")
    progressed(retraction).when(an_override(), FACTS).then_rejected(AssessmentWasRetracted)


def test_a_new_basis_keeps_the_override_and_marks_it() -> None:
    correction = a_correction(targets="T01=90x50")
    events = progressed(an_override()).when(correction, FACTS).decide()
    assert isinstance(events[1], ResponseAssigned)
    assert events[2] == OverrideBasisChanged(
        **ABOUT, criteria="SEED_V1", assigned_then=Response.PD, assigned_now=Response.PD, response=Response.SD
    )
    override = progressed(an_override(), correction).state.assessments[MONTH_1].override
    assert (override.response, override.basis_changed) == (Response.SD, True)


def test_an_override_can_be_made_again_on_the_new_basis() -> None:
    given = progressed(an_override(), a_correction(targets="T01=90x50"), an_override())
    assert given.state.assessments[MONTH_1].override.basis_changed is False


def test_a_change_elsewhere_does_not_touch_the_override() -> None:
    later = an_assessment("month 3", targets="T01=80x50", assessed_on="2026-04-01")
    assert not any(isinstance(e, OverrideBasisChanged) for e in progressed(an_override()).when(later, FACTS).decide())


def test_an_override_is_withdrawn_with_a_reason() -> None:
    command = WithdrawOverride(assessment_id=MONTH_1, reason="Growth was confirmed")
    progressed(an_override()).when(command, FACTS).then(
        OverrideWithdrawn(**ABOUT, criteria="SEED_V1", assigned=Response.PD, reason="Growth was confirmed")
    )
    given = progressed(an_override(), command)
    assert given.state.assessments[MONTH_1].override is None
    given.when(command, FACTS).then_nothing()


ENGINES = engines(PROTOCOL)
PLAIN, MINOR = {"CR", "PR", "SD", "PD", "NE"}, {"CR", "PR", "MR", "SD", "PD", "NE"}
WORDS = {
    **dict.fromkeys(ENGINES, PLAIN),
    "RAPNO_LGG": MINOR,
    "INRC_2017": MINOR,
    "RECIST_1_1": {*PLAIN, "NON-CR/NON-PD"},
    "IRECIST": {"iCR", "iPR", "iSD", "NON-iCR/NON-iUPD", "iUPD", "iCPD", "NE"},
}


@pytest.mark.parametrize("criteria", ENGINES)
@pytest.mark.parametrize("response", Response)
def test_an_override_is_said_in_the_words_of_the_set_that_decides(criteria: str, response: Response) -> None:
    facts = replace(FACTS, criteria=ENGINES[criteria])
    history: list[Event] = []
    for command in (a_lesion(), a_baseline(), an_assessment(targets="T01=NE")):
        history += spec.given(*history).when(command, facts).decide()
    when = spec.given(*history).when(an_override(response), facts)
    assigned = spec.given(*history).state.assessments[MONTH_1].assigned.response
    if response is assigned:
        when.then_rejected(NothingToOverride)
    elif response in WORDS[criteria]:
        when.then(
            ResponseOverridden(
                **ABOUT,
                criteria=criteria,
                assigned=assigned,
                response=response,
                reason="Pseudoprogression: oedema after infusion",
            )
        )
    else:
        when.then_rejected(NotAResponseOfTheCriteria)


def test_the_problem_names_the_set_and_its_responses() -> None:
    with pytest.raises(NotAResponseOfTheCriteria, match="the responses of SEED_V1 are: CR, PR, SD, PD, NE; send one"):
        progressed().when(an_override("MR"), FACTS).decide()
