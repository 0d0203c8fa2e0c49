"""Assessments: what one must say, and how it is corrected and retracted."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.efficacy.domain.assessments import (
    AssessedInTheFuture,
    AssessmentAlreadyRecorded,
    AssessmentWasRetracted,
    BaselineOnRecord,
    LabelOfKnownLesion,
    NonTargetStatusMissing,
    NoSuchAssessment,
    RetractAssessment,
    TargetLesionLeftOut,
    TargetNotMeasuredAtBaseline,
    TargetTooSmallAtBaseline,
    UnknownTargetLesion,
)
from services.efficacy.domain.lesions import RetractLesion
from services.efficacy.domain.naming import AboutAssessment
from services.efficacy.domain.tumour_burden import DECIDER
from shared.contracts.efficacy import AssessmentCorrected, AssessmentRetracted, ResponseAssigned, TumourAssessed
from shared.contracts.efficacy_terms import Evaluator, Findings, TargetMeasurement
from shared.kernel.decider import Command
from shared.kernel.events import Event
from tests.services.efficacy.domain.builders import (
    FACTS,
    PARTICIPANT,
    a_baseline,
    a_correction,
    a_lesion,
    a_new_lesion,
    an_assessment,
    an_id,
    findings,
)
from tests.specs import Given, Spec

spec = Spec(DECIDER)


def recorded(*commands: Command) -> Given:
    history: list[Event] = []
    for command in commands:
        history += spec.given(*history).when(command, FACTS).decide()
    return spec.given(*history)


def responses(events: list[Event]) -> dict[Any, str]:
    return {each.assessment_id: each.response for each in events if isinstance(each, ResponseAssigned)}


def test_a_baseline_is_recorded_and_has_no_response() -> None:
    recorded(a_lesion()).when(a_baseline(), FACTS).then(
        TumourAssessed(
            participant_id=PARTICIPANT,
            assessment_id=an_id("baseline"),
            evaluator=Evaluator.INVESTIGATOR,
            baseline=True,
            findings=Findings(**findings(assessed_on="2026-01-05")),
        )
    )


def test_a_follow_up_is_recorded_with_its_response() -> None:
    events = recorded(a_lesion(), a_baseline()).when(an_assessment(targets="T01=29x20"), FACTS).decide()
    assert [type(each) for each in events] == [TumourAssessed, ResponseAssigned]
    assert responses(events) == {an_id("month 1"): "PR"}


def test_the_same_assessment_twice_decides_to_nothing() -> None:
    given = recorded(a_lesion(), a_baseline(), an_assessment())
    given.when(an_assessment(), FACTS).then_nothing()
    given.when(a_baseline(), FACTS).then_nothing()


def test_the_same_assessment_sent_again_after_its_correction_decides_to_nothing() -> None:
    correction = a_correction(targets="T01=58x40")
    given = recorded(a_lesion(), a_baseline(), an_assessment(), correction)
    given.when(an_assessment(), FACTS).then_nothing()
    given.when(correction, FACTS).then_nothing()


def test_the_order_of_lesions_and_the_spelling_of_numbers_are_no_content() -> None:
    one = an_assessment(targets="T01=60x40|T02=12.50x12")
    other = an_assessment(targets="T02=12.5x12.0|T01=60x40")
    assert one == other
    assert one.fingerprint() == other.fingerprint()


def test_another_assessment_under_the_same_id_is_rejected() -> None:
    given = recorded(a_lesion(), a_baseline(), an_assessment())
    given.when(an_assessment(targets="T01=61x40"), FACTS).then_rejected(AssessmentAlreadyRecorded)
    given.when(an_assessment(baseline=True), FACTS).then_rejected(AssessmentAlreadyRecorded)


def test_there_is_one_baseline() -> None:
    second = an_assessment("second", baseline=True)
    recorded(a_lesion(), a_baseline()).when(second, FACTS).then_rejected(BaselineOnRecord)


def test_a_retracted_baseline_makes_room_for_another() -> None:
    retraction = RetractAssessment(assessment_id=an_id("baseline"), reason="Another child's images")
    given = recorded(a_lesion(), a_baseline(), an_assessment(), retraction)
    assert given.state.assessments[an_id("month 1")].assigned.rule == "no-baseline"
    events = given.when(an_assessment("again", baseline=True, assessed_on="2026-01-05"), FACTS).decide()
    assert responses(events) == {an_id("month 1"): "SD"}


@pytest.mark.parametrize(
    ("targets", "accepted"), [("T01=10x10", True), ("T01=10x9.999", False), ("T01=9.9x9.9", False)]
)
def test_at_baseline_a_target_is_at_least_ten_millimetres_in_both_axes(targets: str, accepted: bool) -> None:
    when = recorded(a_lesion()).when(a_baseline(targets), FACTS)
    if accepted:
        assert len(when.decide()) == 1
    else:
        when.then_rejected(TargetTooSmallAtBaseline, match="10 mm")


def test_a_small_target_is_accepted_after_baseline() -> None:
    events = recorded(a_lesion(), a_baseline()).when(an_assessment(targets="T01=4x3"), FACTS).decide()
    assert responses(events) == {an_id("month 1"): "PR"}


@pytest.mark.parametrize("state", ["NE", "TSTM", "0x0"])
def test_at_baseline_every_target_is_measured(state: str) -> None:
    recorded(a_lesion()).when(a_baseline(f"T01={state}"), FACTS).then_rejected(TargetNotMeasuredAtBaseline)


def test_no_target_lesion_is_left_out() -> None:
    given = recorded(a_lesion("T01"), a_lesion("T02"), a_baseline("T01=60x40|T02=20x20"))
    given.when(an_assessment(targets="T01=60x40"), FACTS).then_rejected(TargetLesionLeftOut)
    assert given.when(an_assessment(targets="T01=60x40|T02=NE"), FACTS).decide()


def test_a_measurement_is_of_a_target_lesion_of_this_participant() -> None:
    given = recorded(a_lesion("T01"), a_lesion("NT1", role="non-target"), a_baseline(non_target="non-cr-non-pd"))
    given.when(an_assessment(targets="T01=60x40|X=20x20"), FACTS).then_rejected(UnknownTargetLesion)
    given.when(an_assessment(targets="T01=60x40|NT1=20x20"), FACTS).then_rejected(UnknownTargetLesion)


def test_non_target_lesions_on_record_need_a_status() -> None:
    given = recorded(a_lesion("T01"), a_lesion("NT1", role="non-target"))
    given.when(a_baseline(non_target="none"), FACTS).then_rejected(NonTargetStatusMissing)
    assert given.when(a_baseline(non_target="ne"), FACTS).decide()


def test_a_new_lesion_has_a_label_of_its_own() -> None:
    given = recorded(a_lesion("T01"), a_baseline())
    given.when(an_assessment(new_lesions=[a_new_lesion("T01")]), FACTS).then_rejected(LabelOfKnownLesion)


@pytest.mark.parametrize(("date", "accepted"), [("2026-12-31", True), ("2027-01-01", False), ("2026", True)])
def test_an_assessment_is_not_of_the_future(date: str, accepted: bool) -> None:
    when = recorded(a_lesion(), a_baseline()).when(an_assessment(assessed_on=date), FACTS)
    if accepted:
        assert when.decide()
    else:
        when.then_rejected(AssessedInTheFuture)


def test_a_correction_is_an_event_with_its_reason() -> None:
    events = recorded(a_lesion(), a_baseline(), an_assessment()).when(a_correction(visit="D30"), FACTS).decide()
    assert events[0] == AssessmentCorrected(
        participant_id=PARTICIPANT,
        assessment_id=an_id("month 1"),
        evaluator=Evaluator.INVESTIGATOR,
        baseline=False,
        findings=Findings(**findings(visit="D30")),
        reason="Transcription error",
    )


def test_a_corrected_baseline_obeys_the_rules_of_a_baseline() -> None:
    given = recorded(a_lesion(), a_baseline())
    given.when(a_correction("baseline", "T01=9x9"), FACTS).then_rejected(TargetTooSmallAtBaseline)


def test_a_retracted_assessment_stays_retracted() -> None:
    command = RetractAssessment(assessment_id=an_id("month 1"), reason="Another child's images")
    given = recorded(a_lesion(), a_baseline(), an_assessment())
    retraction = AssessmentRetracted(
        participant_id=PARTICIPANT,
        assessment_id=an_id("month 1"),
        evaluator=Evaluator.INVESTIGATOR,
        reason="Another child's images",
    )
    given.when(command, FACTS).then(retraction)
    again = spec.given(*given.history, retraction)
    again.when(command, FACTS).then_nothing()
    again.when(an_assessment(), FACTS).then_nothing()
    again.when(a_correction(targets="T01=10x10"), FACTS).then_rejected(AssessmentWasRetracted)


def test_an_assessment_nobody_recorded_is_not_found() -> None:
    recorded().when(a_correction(), FACTS).then_rejected(NoSuchAssessment)
    command = RetractAssessment(assessment_id=an_id("month 1"), reason="Error")
    recorded().when(command, FACTS).then_rejected(NoSuchAssessment)


def test_an_assessment_is_named_before_it_is_decided() -> None:
    assert AboutAssessment().about(an_id("month 1")).which == an_id("month 1")


@pytest.mark.parametrize(
    ("measurement", "complaint"),
    [
        ({"state": "measured", "longest_mm": "20", "perpendicular_mm": "20.001"}, "may not exceed"),
        ({"state": "measured", "longest_mm": "20"}, "needs longest_mm and perpendicular_mm"),
        ({"state": "measured"}, "needs longest_mm and perpendicular_mm"),
        ({"state": "absent", "further_parts": [{"longest_mm": "9", "perpendicular_mm": "9"}]}, "only a measured"),
        (
            {
                "state": "measured",
                "longest_mm": "20",
                "perpendicular_mm": "20",
                "further_parts": [{"longest_mm": "9", "perpendicular_mm": "9.1"}],
            },
            "may not exceed",
        ),
        ({"state": "measured", "longest_mm": "0", "perpendicular_mm": "0"}, "greater than 0"),
        ({"state": "measured", "longest_mm": "20.0001", "perpendicular_mm": "20"}, "3 decimal places"),
        ({"state": "measured", "longest_mm": "1000.5", "perpendicular_mm": "20"}, "less than or equal to 1000"),
        ({"state": "absent", "longest_mm": "5", "perpendicular_mm": "5"}, "no diameters"),
        ({"state": "too-small", "longest_mm": "4"}, "no diameters"),
        ({"state": "not-assessed", "perpendicular_mm": "4"}, "no diameters"),
        ({}, "Field required"),
    ],
)
def test_a_measurement_that_contradicts_itself_is_refused(measurement: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TargetMeasurement(lesion_id=an_id("T01"), **measurement)


def test_equal_diameters_are_a_measurement() -> None:
    assert TargetMeasurement(lesion_id=an_id("T01"), state="measured", longest_mm="20", perpendicular_mm="20.000")


def test_each_lesion_is_given_once() -> None:
    with pytest.raises(ValidationError, match="given once"):
        an_assessment(targets="T01=60x40|T01=60x40")
    with pytest.raises(ValidationError, match="given once"):
        an_assessment(new_lesions=[a_new_lesion(), a_new_lesion(certainty="equivocal")])


def test_independent_readers_are_not_open_yet() -> None:
    with pytest.raises(ValidationError):
        an_assessment(evaluator="independent-assessor")


def test_a_retracted_lesion_no_longer_counts() -> None:
    given = recorded(
        a_lesion("T01"),
        a_lesion("T02"),
        a_baseline("T01=60x40|T02=20x20"),
        an_assessment(targets="T01=20x20|T02=80x80"),
    )
    assert given.state.assessments[an_id("month 1")].assigned.response == "PD"
    retraction = RetractLesion(lesion_id=an_id("T02"), reason="A cyst, no tumour")
    assert responses(given.when(retraction, FACTS).decide()) == {an_id("month 1"): "PR"}
