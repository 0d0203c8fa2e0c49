"""Rows become results: graded on arrival, repeated, corrected, cancelled; graded anew when the baseline changes."""

from datetime import datetime
from typing import Any

import pytest

from services.safety.domain.lab_grading.facts import DEFAULT
from services.safety.domain.lab_grading.grading import ExplainedGrade
from services.safety.domain.lab_results import arrival_grading
from services.safety.domain.lab_results.recording import AT_MOST
from shared.contracts.safety_laboratory import LaboratoryResultsRecorded, LimitsSource
from shared.kernel.events import decode
from shared.protocol import Protocol, Side
from shared.protocol.safety import GradingBaseline
from tests.services.safety.builders import BANGKOK, PROTOCOL
from tests.services.safety.domain.lab_results.course import Course, a_laboratory, a_row, identity, mapping, ranges

AGAIN = "Two tubes were mixed up"


def fates(course: Course, *rows: Any) -> list[str]:
    return [fate.outcome.value for fate in course.sent(*rows).fates]


def test_a_value_is_graded_by_the_limits_that_came_with_it() -> None:
    course = Course()
    assert fates(course, a_row()) == ["recorded"]
    [recorded, _] = course.happened
    assert isinstance(recorded, LaboratoryResultsRecorded)
    [grade] = recorded.results[0].grading.grades
    assert (grade.meddra_code, grade.grade, grade.possible) == ("10001551", 1, (1,))
    assert (grade.rule, grade.arm) == ("CTCAE v5.0 10001551 grade 1a (ULN)", "ULN")


def test_a_test_with_two_sides_has_two_grades() -> None:
    course = Course()
    course.sent(a_row(analyte="K", unit="mmol/L", value="6.1", lln="3.5", uln="5.0"))
    grades = course.named("R1").result.grading.grades
    assert [(each.meddra_code, each.grade) for each in grades] == [("10020647", 3), ("10021018", 0)]


def test_every_unit_of_an_analyte_is_graded() -> None:
    """The same glucose in two units."""
    course = Course()
    course.sent(
        a_row("mg", analyte="GLUC", unit="mg/dL", value="45", lln="70", uln=None),
        a_row("mmol", analyte="GLUC", unit="mmol/L", value="2.4", lln="3.9", uln=None),
    )
    low = {name: course.named(name).result.grading.grades[-1] for name in ("mg", "mmol")}
    assert [each.grade for each in low.values()] == [2, 2]


def test_an_inr_is_not_multiplied_by_its_limit() -> None:
    course = Course()
    course.sent(a_row(analyte="INR", unit=None, value="1.6", uln="1.1"))
    assert course.grade("R1") == 2
    assert course.named("R1").result.grading.grades[0].arm == "absolute"


def test_without_a_limit_a_grade_is_null_and_says_so() -> None:
    course = Course()
    course.sent(a_row(uln=None))
    result = course.named("R1").result
    assert (course.grade("R1"), result.limits_from, course.candidates) == (None, None, [])
    [explained] = arrival_grading.explained(result, result.grading.baseline, DEFAULT)
    assert "no upper limit of normal (ULN) was given" in explained.explanation


def test_a_range_that_changes_later_leaves_what_is_on_record() -> None:
    """The limits are frozen on the result."""
    course = Course(laboratory=a_laboratory(ranges({"uln": "30"})))
    course.sent(a_row(uln=None))
    course.laboratory = a_laboratory(ranges({"uln": "500"}))
    assert fates(course, a_row(uln=None)) == ["repeated"]
    result = course.named("R1").result
    assert (str(result.uln), result.limits_from, course.grade("R1")) == ("30", LimitsSource.LABORATORY, 2)


def test_the_baseline_is_never_graded_against_itself() -> None:
    """An abnormal baseline of 60 is grade 1 by its limit, and 100 after it 1.7 times the baseline."""
    course = Course().alt(d12="60", d15="100")
    assert (course.grade("d12"), course.named("d12").result.grading.baseline) == (1, None)
    used = course.named("d15").result.grading.baseline
    assert used is not None
    assert (used.result_id, str(used.value), used.abnormal) == (identity("d12"), "60", True)
    assert (course.grade("d15"), course.named("d15").result.grading.grades[0].arm) == (1, "baseline")


def test_a_later_baseline_that_comes_late_grades_the_values_after_it_anew() -> None:
    course = Course().alt(d12="60", d15="250", d16="20")
    assert course.grade("d15") == 2
    course.alt(d13="30")
    assert course.types()[2:4] == ["laboratory-results-recorded", "laboratory-results-regraded"]
    assert course.grade("d15") == 3
    assert [course.named(name).result.grading.baseline for name in ("d12", "d13")] == [None, None]
    assert Course(state=course.state).sent().events == []


def test_a_cancelled_value_is_not_graded_anew() -> None:
    course = Course().alt(d12="60", d15="250")
    course.sent(a_row("d15", "15T08:00", status="cancelled", reason=AGAIN))
    course.alt(d13="30")
    assert "laboratory-results-regraded" not in course.types()


def test_an_infusion_that_becomes_known_makes_a_baseline() -> None:
    course = Course().infused(None).alt(d12="60", d15="250")
    assert (course.grade("d15"), course.named("d15").result.grading.baseline) == (3, None)
    assert course.sent().events == []
    course.infused().sent()
    assert course.types()[-2:] == ["laboratory-results-regraded", "adverse-event-candidate-followed"]
    assert course.grade("d15") == 2


def test_a_lymphodepletion_that_becomes_known_moves_the_baseline_before_it() -> None:
    """ALT of 30 on the 8th, raised to 60 by the treatment of the 9th; the infusion is on the 14th."""
    course = Course().alt(d08="30", d12="60", d15="250")
    assert (course.grade("d15"), _used(course, "d15")) == (2, ("d12", "before-infusion-no-lymphodepletion"))
    course.prepared(9).sent()
    assert course.types()[-2:] == ["laboratory-results-regraded", "adverse-event-candidate-followed"]
    assert (course.grade("d15"), _used(course, "d15")) == (3, ("d08", "before-lymphodepletion"))
    assert (course.grade("d12"), _used(course, "d12")) == (1, ("d08", "before-lymphodepletion"))
    assert course.named("d08").result.grading.baseline is None
    assert course.sent().events == []


def test_a_lymphodepletion_that_was_none_falls_back_to_the_infusion() -> None:
    course = Course().prepared(9).alt(d08="30", d12="60", d15="250")
    assert course.grade("d15") == 3
    course.prepared().sent()
    assert (course.grade("d15"), _used(course, "d15")) == (2, ("d12", "before-infusion-no-lymphodepletion"))


def test_what_a_baseline_lies_before_is_told_although_it_stays_the_same() -> None:
    course = Course().alt(d08="30", d15="250")
    [before] = [each.explanation for each in _explained(course, "d15")]
    assert "The baseline is the last valid value before the infusion, for no lymphodepletion is on record." in before
    course.prepared(9).sent()
    assert course.types()[-1] == "laboratory-results-regraded"
    [after] = [each.explanation for each in _explained(course, "d15")]
    assert "The baseline is the last valid value before the lymphodepletion." in after
    assert (course.grade("d15"), course.sent().events) == (3, [])


def test_of_two_lymphodepletions_the_earlier_began_the_treatment() -> None:
    course = Course().prepared(11, 7).alt(d06="30", d09="60", d15="250")
    assert _used(course, "d15") == ("d06", "before-lymphodepletion")


@pytest.mark.parametrize(
    ("side", "hour", "baseline"),
    [("before", None, "d09"), ("after", None, "d08"), ("after", 9, "d09"), ("before", 7, "d08")],
)
def test_a_value_of_the_first_day_of_lymphodepletion(side: str, hour: int | None, baseline: str) -> None:
    """The values are taken at eight in the morning."""
    at = None if hour is None else datetime(2026, 3, 9, hour, tzinfo=BANGKOK)
    course = Course(protocol=_with_first_day(side)).prepared(9, at=at).alt(d08="30", d09="60", d15="250")
    assert _used(course, "d15") == (baseline, "before-lymphodepletion")


@pytest.mark.parametrize("listed", [True, False])
def test_the_protocol_may_take_the_baseline_before_the_infusion(listed: bool) -> None:
    rule = PROTOCOL.ctcae.baseline.model_copy(update={"value": GradingBaseline.LAST_BEFORE_INFUSION})
    chosen: dict[str, Any] = {"ctcae": PROTOCOL.ctcae.model_copy(update={"baseline": rule})}
    if not listed:
        chosen["lymphodepletion"] = None
    course = Course(protocol=PROTOCOL.model_copy(update=chosen)).prepared(9).alt(d08="30", d12="60", d15="250")
    assert _used(course, "d15") == ("d12", "before-infusion")
    [explained] = [each.explanation for each in _explained(course, "d15")]
    assert "The baseline is the last valid value before the infusion." in explained


def _used(course: Course, name: str) -> tuple[str, str]:
    used = course.named(name).result.grading.baseline
    assert used is not None
    names = {each.result.result_id: each.result.row for each in course.state.by_id.values()}
    return names[used.result_id], used.basis.value


def _explained(course: Course, name: str) -> list[ExplainedGrade]:
    result = course.named(name).result
    return arrival_grading.explained(result, result.grading.baseline, DEFAULT)


def _with_first_day(side: str) -> Protocol:
    listed = PROTOCOL.lymphodepletion
    assert listed is not None
    setting = listed.first_day_without_time.model_copy(update={"value": Side(side)})
    return PROTOCOL.model_copy(
        update={"lymphodepletion": listed.model_copy(update={"first_day_without_time": setting})}
    )


@pytest.mark.parametrize("end", [{"status": "cancelled"}, {"value": "<60"}])
def test_a_baseline_that_was_none_counts_no_more(end: dict[str, str]) -> None:
    course = Course().alt(d11="30", d12="60", d15="250")
    course.sent(a_row("d12", "12T08:00", **{"value": "60", **end}, reason=AGAIN))
    used = course.named("d15").result.grading.baseline
    assert used is not None
    assert (used.result_id, course.grade("d15")) == (identity("d11"), 3)


def test_a_baseline_in_another_unit_is_converted_to_twelve_places() -> None:
    course = Course()
    creatinine: dict[str, Any] = {"analyte": "CREAT", "uln": None}
    course.sent(a_row("umol", "12T08:00", **creatinine, value="100", unit="umol/L"))
    course.sent(a_row("mg", "15T08:00", **creatinine, value="2.0", unit="mg/dL"))
    used = course.named("mg").result.grading.baseline
    assert used is not None
    assert str(used.value).startswith("1.131")
    assert -(used.value.as_tuple().exponent or 0) <= 12  # type: ignore[operator]
    again = decode(course.happened[1].event_type, 1, course.happened[1].to_json())
    assert again == course.happened[1]
    assert course.sent().events == []


def test_a_bound_and_a_young_child_are_graded_by_what_is_frozen() -> None:
    course = Course()
    course.sent(a_row(value="<40", uln="40"))
    assert course.grade("R1") == 0
    assert course.named("R1").result.age_months == 108


def test_the_same_row_again_is_repeated_however_its_numbers_are_written() -> None:
    course = Course()
    course.sent(a_row())
    same = a_row(value="120.0", uln="40.00", unit="IU/L", collected_at="2026-03-15T01:00:00Z", reason=AGAIN)
    assert fates(course, a_row(), same) == ["repeated", "repeated"]
    assert course.sent(a_row()).events == []


@pytest.mark.parametrize(
    "other",
    [
        {"value": "121"},
        {"value": "<120"},
        {"unit": "ukat/L"},
        {"uln": "41"},
        {"lln": "1"},
        {"uln": None},
        {"collected_at": "2026-03-15T08:01"},
        {"specimen_type": "serum"},
        {"analyte": "SGPT"},
    ],
)
def test_other_content_is_a_conflict_without_a_reason_and_a_correction_with_one(other: dict[str, Any]) -> None:
    course = Course()
    course.sent(a_row())
    assert fates(course, a_row(**other), a_row(**other, reason="DOB 2017-03-02")) == ["conflict", "conflict"]
    assert course.sent(a_row(**other)).events == []
    assert fates(course, a_row(**other, reason=AGAIN)) == ["corrected"]
    assert fates(course, a_row(**other)) == ["repeated"]


def test_a_mapping_that_changes_later_leaves_what_is_on_record() -> None:
    course = Course(laboratory=a_laboratory(mapping(GPT="ALT")))
    row = a_row(local_code="GPT", analyte=None)
    course.sent(row)
    course.laboratory = a_laboratory(mapping(GPT="AST"))
    assert fates(course, row) == ["repeated"]
    assert course.named("R1").result.analyte == "ALT"


def test_a_result_is_cancelled_with_a_reason_and_may_come_back_with_one() -> None:
    course = Course()
    course.sent(a_row())
    cancelled: dict[str, Any] = {"status": "cancelled", "value": None, "collected_at": None}
    assert fates(course, a_row("R2", **cancelled, reason=AGAIN)) == ["conflict"]
    assert fates(course, a_row(**cancelled)) == ["conflict"]
    assert fates(course, a_row(**cancelled, reason=AGAIN), a_row(**cancelled)) == ["cancelled", "repeated"]
    assert course.state.valid == []
    assert fates(course, a_row()) == ["conflict"]
    assert fates(course, a_row(reason=AGAIN)) == ["corrected"]
    assert len(course.state.valid) == 1


def test_a_row_that_is_new_in_a_batch_is_not_changed_by_the_same_batch() -> None:
    cancelled = a_row(status="cancelled", reason=AGAIN)
    assert fates(Course(), a_row(), a_row(value="5", reason=AGAIN), cancelled) == ["recorded", "conflict", "conflict"]


def test_a_test_that_is_not_graded_is_kept_without_grades() -> None:
    course = Course(laboratory=a_laboratory(mapping(UREA=None)))
    course.sent(a_row(local_code="UREA", unit="mg/dL"))
    result = course.named("R1").result
    assert (result.grading.grades, result.grading.baseline, course.candidates) == ((), None, [])
    assert arrival_grading.explained(result, None, DEFAULT) == []


def test_no_event_holds_more_results_than_a_message_should() -> None:
    course = Course()
    course.sent(*(a_row(f"R{number}", value=str(number)) for number in range(AT_MOST + 1)))
    sizes = [len(event.results) for event in course.happened if isinstance(event, LaboratoryResultsRecorded)]
    assert sizes == [AT_MOST, 1]
    assert max(len(event.to_json()) for event in course.happened) < 100_000


@pytest.mark.parametrize(("pick", "grade"), [("worst", 2), ("least", 1)])
def test_the_protocol_picks_among_the_grades_that_are_possible(pick: str, grade: int) -> None:
    """A potassium below 3.5 mmol/L is grade 1 without symptoms and 2 with them, which no row tells."""
    choice = PROTOCOL.ctcae.when_facts_are_missing.model_copy(update={"value": pick})
    chosen = PROTOCOL.ctcae.model_copy(update={"when_facts_are_missing": choice})
    course = Course(protocol=PROTOCOL.model_copy(update={"ctcae": chosen}))
    course.sent(a_row(analyte="K", unit="mmol/L", value="3.2", lln="3.5", uln="5.0"))
    low = course.named("R1").result.grading.grades[1]
    assert (low.grade, low.possible) == (grade, (1, 2))


def test_the_protocols_choices_are_those_that_the_grading_takes_by_itself() -> None:
    assert arrival_grading.policy_of(PROTOCOL) == DEFAULT
