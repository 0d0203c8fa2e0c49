"""Responses that somebody stated, beside those that the criteria assign."""

from dataclasses import replace
from typing import Any

import pytest

from services.efficacy.domain.assessments import AssessmentWasRetracted, NoSuchAssessment, RetractAssessment
from services.efficacy.domain.overrides import NotAResponseOfTheCriteria
from services.efficacy.domain.stated_responses import ReportResponse, StatedInTheFuture, StatedOtherwise
from services.efficacy.domain.tumour_burden import DECIDER
from shared.contracts.efficacy import ResponseReported
from shared.contracts.efficacy_terms import Evaluator, Response, ResponseOf
from shared.kernel.decider import Command
from shared.kernel.events import Event
from tests.services.efficacy.domain.builders import (
    CRITERIA,
    FACTS,
    PARTICIPANT,
    a_baseline,
    a_lesion,
    an_assessment,
    an_id,
)
from tests.specs import Given, Spec

spec = Spec(DECIDER)
MONTH_1 = an_id("month 1")


def stated(response: str = "SD", **given: Any) -> ReportResponse:
    given = {"criteria": "SEED_V1", "stated_on": "2026-02"} | given
    return ReportResponse(assessment_id=MONTH_1, response=Response(response), **given)


def reported(response: str = "SD", **given: Any) -> ResponseReported:
    given = {"criteria": "SEED_V1", "stated_on": "2026-02", "of": ResponseOf.OVERALL, "reason": None} | given
    return ResponseReported(
        participant_id=PARTICIPANT,
        assessment_id=MONTH_1,
        evaluator=Evaluator.INVESTIGATOR,
        response=Response(response),
        **given,
    )


def progressed(*more: Command) -> Given:
    """A baseline of 100 mm and, a month later, 126 mm."""
    history: list[Event] = []
    for command in (a_lesion(), a_baseline(), an_assessment(targets="T01=76x50"), *more):
        history += spec.given(*history).when(command, FACTS).decide()
    return spec.given(*history)


def test_what_was_stated_stands_beside_what_was_assigned() -> None:
    progressed().when(stated(), FACTS).then(reported())
    assessment = progressed(stated()).state.assessments[MONTH_1]
    assert assessment.assigned.response is assessment.computed("SEED_V1") is Response.PD
    assert assessment.override is None
    assert assessment.reported == {(ResponseOf.OVERALL, "SEED_V1"): reported()}
    assert assessment.computed("WHO_1979") is None


def test_the_same_statement_twice_decides_to_nothing() -> None:
    progressed(stated()).when(stated(), FACTS).then_nothing()


def test_another_statement_needs_a_reason() -> None:
    progressed(stated()).when(stated("PD"), FACTS).then_rejected(StatedOtherwise)
    why = "Transcription error"
    progressed(stated()).when(stated("PD", reason=why), FACTS).then(reported("PD", reason=why))


def test_sets_and_parts_are_stated_each_by_itself() -> None:
    progressed(stated()).when(stated("PD", criteria="RECIST_1_1"), FACTS).then(reported("PD", criteria="RECIST_1_1"))
    of = ResponseOf.TARGET
    progressed(stated()).when(stated("PD", of=of), FACTS).then(reported("PD", of=of))


def test_a_response_that_the_set_does_not_know_is_refused() -> None:
    progressed().when(stated("iUPD"), FACTS).then_rejected(NotAResponseOfTheCriteria)


def test_a_set_that_is_not_asked_here_may_be_stated_all_the_same() -> None:
    progressed().when(stated("MR", criteria="LUGANO_2014"), FACTS).then(reported("MR", criteria="LUGANO_2014"))


def test_what_lies_ahead_was_not_stated() -> None:
    progressed().when(stated(stated_on="2027-01"), FACTS).then_rejected(StatedInTheFuture)
    progressed().when(stated(stated_on=None), FACTS).then(reported(stated_on=None))


def test_only_of_an_assessment_that_counts_can_a_response_be_stated() -> None:
    spec.given().when(stated(), FACTS).then_rejected(NoSuchAssessment)
    retraction = RetractAssessment(assessment_id=MONTH_1, reason="Another child's images")
    progressed(retraction).when(stated(), FACTS).then_rejected(AssessmentWasRetracted)


@pytest.mark.parametrize(("criteria", "computed"), [("SEED_V1", "PD"), ("WHO_1979", "PD"), ("RANO_HGG_2010", None)])
def test_it_is_compared_with_the_same_set(criteria: str, computed: str | None) -> None:
    facts = replace(FACTS, supportive=CRITERIA.of(None).supportive)
    history: list[Event] = []
    for command in (a_lesion(), a_baseline(), an_assessment(targets="T01=76x50")):
        history += spec.given(*history).when(command, facts).decide()
    names = {each.name for each in (facts.criteria, *facts.supportive)}
    expected = computed if criteria in names else None
    assert spec.given(*history).state.assessments[MONTH_1].computed(criteria) == expected
